#pragma once
// OnlineCopy: copies the store into a file, slice by slice, between the batches of the connection
// that writes to it. Pages that a batch changes after they were copied are copied again with its
// commit (SQLite does so for writes of the same connection), so that the copy is the store as of
// the last slice, and nothing has to begin anew. Owns: the destination file while it is written.
// Refuses to own: syncing and naming it, which takes as long as the file is large
// (storage/copies/backups.hpp). Thread rule: the thread that owns the source. The source outlives
// it. Errors: those of the destination stay here and never become the source's. Source:
// https://sqlite.org/c3ref/backup_finish.html, https://sqlite.org/backup.html

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/unit/store.hpp"

#include <filesystem>
#include <memory>

struct sqlite3_backup;

namespace fencegate::storage::sqlite {

class OnlineCopy final : public StoreCopy {
public:
    // REQUIRES: nothing has the name `file`. Fails with: StoreFull, Internal.
    [[nodiscard]] static Result<std::unique_ptr<OnlineCopy>> begin(
        Connection& source, const std::filesystem::path& file);
    // An unfinished copy is abandoned; the file stays, unusable.
    ~OnlineCopy() override;
    OnlineCopy(const OnlineCopy&) = delete;
    OnlineCopy& operator=(const OnlineCopy&) = delete;

    [[nodiscard]] Result<bool> step(const Clock& clock, std::chrono::nanoseconds budget) override;

    [[nodiscard]] CopyProgress progress() const override;
    [[nodiscard]] Result<CopyFacts> facts() override;

private:
    OnlineCopy(Connection& source, std::unique_ptr<Connection> target, ::sqlite3_backup* backup)
        : source_(source), target_(std::move(target)), backup_(backup) {}

    Connection& source_;
    std::unique_ptr<Connection> target_;
    ::sqlite3_backup* backup_;
    CopyProgress progress_{};
    int restarts_ = 0;
};

}  // namespace fencegate::storage::sqlite
