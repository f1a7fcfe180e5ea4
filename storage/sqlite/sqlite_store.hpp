#pragma once
// SqliteStore: the store in one file, with its log, its marks and its tail note: the Store of the
// embedded engine. A commit is one fsync of the log; before it returns, what a start will hold the
// store against (incarnation.hpp, tail_note.hpp) says so too, and the names of the files are looked
// at.
// Owns the folder's lock and the connection. Thread rule: belongs to the store thread.
// Errors: failure(), as the Connection's.

#include "storage/sqlite/checkpoint_pace.hpp"
#include "storage/sqlite/folder_lock.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/row_set.hpp"
#include "storage/sqlite/store_names.hpp"
#include "storage/sqlite/tail_note.hpp"
#include "storage/unit/store.hpp"

#include <memory>
#include <optional>
#include <string>

namespace fencegate::storage::sqlite {

class SqliteStore final : public Store {
public:
    // `clock` outlives it. REQUIRES: the folder of `lock` is the connection's.
    SqliteStore(FolderLock lock, std::unique_ptr<Connection> connection, const Clock& clock);

    [[nodiscard]] Readers readers() noexcept override { return rows_.readers(); }

    void begin() override { begin_.run(); }
    void write(const Changes& changes) override { rows_.write(changes); }
    [[nodiscard]] Commit commit(std::size_t commands) override;
    void roll_back() override;

    [[nodiscard]] const std::optional<Failure>& failure() const noexcept override {
        return connection_->failure();
    }
    void clear_failure() noexcept override { connection_->clear_failure(); }

    WallTime look(BootTime now) override { return rows_.clock.look(now); }
    [[nodiscard]] const BelievedWall& wall() const noexcept override { return rows_.clock.wall(); }
    [[nodiscard]] const std::optional<ClockJump>& gap() const noexcept override {
        return rows_.clock.gap();
    }

    [[nodiscard]] std::int64_t log_bytes() const noexcept override {
        return connection_->wal_bytes();
    }
    [[nodiscard]] bool wants_checkpoint() const noexcept override;
    BootTime::duration checkpoint() override;
    [[nodiscard]] Result<std::unique_ptr<StoreCopy>> begin_copy(
        const std::filesystem::path& file) override;
    BootTime::duration close() override;

    // For whoever looks at the file beside it.
    [[nodiscard]] Connection& connection() noexcept { return *connection_; }

private:
    [[nodiscard]] BootTime::duration copy_log(bool truncate);
    // Whether a start would find what has just been committed. If the names of the store or of its
    // log are gone, what can be saved is.
    void look_for_files(Commit& made);

    FolderLock lock_;
    std::unique_ptr<Connection> connection_;
    const Clock& clock_;
    RowSet rows_;
    Incarnation incarnation_;
    TailKeeper tail_;
    StoreNames names_;
    CheckpointPace pace_;
    Statement begin_;
    Statement commit_;
};

}  // namespace fencegate::storage::sqlite
