#include "storage/sqlite/sqlite_store.hpp"

#include "storage/sqlite/online_copy.hpp"

#include <sqlite3.h>

#include <utility>

namespace fencegate::storage::sqlite {

SqliteStore::SqliteStore(FolderLock lock, std::unique_ptr<Connection> connection,
                         const Clock& clock)
    : lock_(std::move(lock)),
      connection_(std::move(connection)),
      clock_(clock),
      rows_(*connection_, clock),
      incarnation_(*connection_, lock_.folder()),
      tail_(lock_.folder() / "store.db"),
      names_(lock_.folder_descriptor()),
      begin_(*connection_, "BEGIN"),
      commit_(*connection_, "COMMIT") {
    connection_->on_copied([this](bool is_emptied_next) {
        tail_.copied();
        if (is_emptied_next) tail_.sync();  // an old note would miss the log
        return true;
    });
}

Store::Commit SqliteStore::commit(std::size_t commands) {
    const auto now = clock_.boot_now();
    Commit made{.wrote = ::sqlite3_txn_state(connection_->handle(), nullptr) == SQLITE_TXN_WRITE};
    if (made.wrote) incarnation_.raise_if_due(now);
    if (made.wrote) rows_.keep_clock(now);
    commit_.run();
    if (failure()) return made;
    if (made.wrote) tail_.committed(connection_->wal_frames(), incarnation_.generation());
    if (made.wrote) look_for_files(made);
    if (!made.is_safe) return made;
    incarnation_.committed();
    rows_.clock.committed();
    if (made.wrote) pace_.note_batch(commands);
    return made;
}

// A log without its name is saved by copying it into the store. A store without its name is not,
// unless it was renamed: what this batch did is then as unknown as after a failing disk.
void SqliteStore::look_for_files(Commit& made) {
    const bool has_store = names_.has_store();
    if (has_store && names_.has_log()) return;
    connection_->checkpoint(/*truncate=*/false);
    const bool is_copied = has_store && connection_->wal_bytes() == 0;
    made.is_safe = is_copied;
    made.lost = std::string(has_store ? "store.db-wal" : "store.db") +
                " was removed, renamed or replaced while the gateway served it" +
                (is_copied ? "; all that was in it is in store.db as well" : "");
    connection_->clear_failure();
}

void SqliteStore::roll_back() {
    connection_->clear_failure();
    if (connection_->is_in_transaction()) connection_->exec("ROLLBACK");
    incarnation_.rolled_back();
    rows_.clock.rolled_back();
}

bool SqliteStore::wants_checkpoint() const noexcept {
    return connection_->wal_bytes() >= pace_.due_bytes();
}

BootTime::duration SqliteStore::checkpoint() {
    const auto took = copy_log(/*truncate=*/false);
    if (!failure()) pace_.learn(took);
    return took;
}

BootTime::duration SqliteStore::copy_log(bool truncate) {
    const auto before = clock_.boot_now();
    connection_->checkpoint(truncate);
    return clock_.boot_now() - before;
}

Result<std::unique_ptr<StoreCopy>> SqliteStore::begin_copy(const std::filesystem::path& file) {
    return OnlineCopy::begin(*connection_, file);
}

BootTime::duration SqliteStore::close() {
    // Whatever was copied while this ran is older than what it leaves. Where that cannot be done,
    // the next start does it.
    const auto base = incarnation_.generation();
    incarnation_.raise_now();
    connection_->clear_failure();
    if (connection_->is_in_transaction()) connection_->exec("ROLLBACK");
    tail_.committed(connection_->wal_frames(), base);
    const auto took = copy_log(/*truncate=*/true);
    if (!failure() && connection_->wal_bytes() == 0) tail_.closed();
    return took;
}

}  // namespace fencegate::storage::sqlite
