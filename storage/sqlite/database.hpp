#pragma once
// Opening the store: the folder, its lock file, the SQLite settings and the schema version.
// Owns the rule that exactly one process and one connection write: SQLite 3.40.1 has a WAL-reset
// race that needs two (https://sqlite.org/wal.html#walresetbug).
// Thread rule: open once, at start; a FolderLock is held as long as the store is open.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/sqlite/connection.hpp"

#include <filesystem>
#include <memory>

namespace fencegate::storage::sqlite {

class FolderLock {
public:
    // Fails with: StartFailure InUse (another process has it), CannotCreate.
    [[nodiscard]] static Result<FolderLock> take(const std::filesystem::path& folder);
    ~FolderLock();
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&&) = delete;

private:
    explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

// Opens or creates `folder`/store.db, finishes what a crash left in the log (checkpointed in full
// and synced, because pages in the cache may never have reached the disk), and migrates forward.
// Fails with: StartFailure BadData (not our file, damaged, or written by a newer program),
// CannotCreate (no space, no permission, no local disk).
[[nodiscard]] Result<std::unique_ptr<Connection>> open_database(
    const std::filesystem::path& folder);

// Makes a store that was put back from a backup fit to serve: one transaction that raises the epoch
// of its tokens and ends every lease it holds. Returns the new epoch.
//
// What was granted after the backup is lost here, but not to the clients that were told. So no
// token may be issued twice: the new epoch is above the backup's and above `above`, the highest
// epoch the lost store may have used (0 if it never was restored itself). And no lease of the
// backup may be used again, because a later grant of its lock may be out there: live leases become
// broken; expired ones become superseded, which a class that accepts late writes refuses too.
// Doing it twice is harmless. Fails with: as open_database, InUse, and BadData after the last
// epoch.
[[nodiscard]] Result<std::int64_t> raise_epoch(const std::filesystem::path& folder,
                                               std::int64_t above, WallTime now);

}  // namespace fencegate::storage::sqlite
