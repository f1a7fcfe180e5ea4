#pragma once
// Opening the store: the folder, the SQLite settings and the schema version.
// Owns the rule that exactly one process and one connection write: SQLite 3.40.1 has a WAL-reset
// race that needs two (https://sqlite.org/wal.html#walresetbug).
// Thread rule: open once, at start; a FolderLock is held as long as the store is open.

#include "base/result.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/folder_lock.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace fencegate::storage::sqlite {

// What is known of a store that is opened: that it must be the one the folder had, or nothing.
// Anywhere is for a restore, which then makes it the folder's own (restore.cpp).
enum class Origin : std::uint8_t { Unchanged, Anywhere };

// Called with the store as this version sees it, read and not written yet. What it reads and
// cannot, it refuses, and everything is as it was.
using BeforeWriting = std::function<Result<>(Connection&)>;

// Opens or creates `folder`/store.db, finishes what a crash left in the log (checkpointed in full
// and synced, because pages in the cache may never have reached the disk), and migrates forward.
// Fails with: StartFailure BadData (not our file, damaged, written by a newer program, or copied or
// put back: incarnation.hpp),
// CannotCreate (no space, no permission, no local disk).
[[nodiscard]] Result<std::unique_ptr<Connection>> open_database(
    const std::filesystem::path& folder, Origin origin = Origin::Unchanged,
    const BeforeWriting& before_writing = {});

// The lock file remembers that there was a store. If the store has gone missing since, a new one
// would issue the same tokens again, and a paused worker's old token would be good once more.
// REQUIRES: the folder is locked. Fails with: StartFailure CannotCreate.
[[nodiscard]] Result<> remember_store(const std::filesystem::path& folder);

// That `file`, opened as `connection`, is a store of the version that this program writes.
// Fails with: StartFailure BadData, InUse.
[[nodiscard]] Result<> check_schema(Connection& connection, const std::filesystem::path& file);

}  // namespace fencegate::storage::sqlite
