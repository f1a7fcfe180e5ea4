#pragma once
// Restore: makes a store fit to serve that is not the one its folder had: put back from a backup,
// copied, or rolled back with its file system. Offline: the folder's lock keeps a gateway out.
//
// What was granted since the backup is lost here, but not to the clients that were told. So no
// token may be issued twice: the new epoch is above the backup's, above what the folder remembers
// and above `epoch_above`. And no lease of the backup may be used again, because a later grant of
// its lock may be out there: live leases become broken; expired ones become superseded, which a
// class that accepts late writes refuses too. One transaction; doing it twice is harmless.
//
// 1. The store is made ready in a folder of its own beside the one that is there. Whatever can fail
//    for want of room, or for what the backup is, fails there, and nothing was changed.
// 2. What is there gets a second name, and a note says that the new store is ready and what is to
//    be told of it (ready_note.hpp). From there on the restore can only be finished.
// 3. Then names are changed: the mark of the new store is given to the folder, from where on only
//    that store may serve, and its name to the new store. There is a store.db at every moment.
// Thread rule: any thread, nothing else has the folder.
// Source: etcd's `snapshot restore --bump-revision`; HDFS QJM's epochs.

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace fencegate::storage {

struct RestoreOptions {
    std::filesystem::path data_dir;
    // The backup to put in place; nothing: the store that is there. What was there before is kept
    // beside it under another name, in both cases.
    std::optional<std::filesystem::path> from{};
    // The highest epoch that may have been used where this folder does not know of it: on another
    // machine, or in a folder that is lost. 0: none but the backup's own.
    std::int64_t epoch_above = 0;
    // Takes pages that do not carry their seal as they are: written by a program that knows of
    // none, the shell of SQLite say. Only if the store, every row of it, verifies as sound then.
    bool reseals = false;
};

struct Restored {
    std::int64_t epoch = 0;
    std::int64_t leases_ended = 0;
    // The store as it was, with its log. Empty: there was none.
    std::filesystem::path kept{};
    // How far its marks had come further than the store that stays: some four a second while it is
    // written to. 0: it is where they are.
    std::int64_t generations_behind = 0;
    std::int64_t pages_resealed = 0;
    std::string lost{};             // what its damaged log held, in numbers; empty: nothing
    std::string unknown{};          // why nobody knows whether that is all; empty: it is
    bool is_finished_late = false;  // it is of a restore that was interrupted before
};

// Called while a restore that is killed would still be told again.
using TellRestored = std::function<void(const Restored&)>;

// Fails with: StartFailure InUse (this folder, or the backup is the store of another), BadData (no
// store, damaged, or the last epoch is used up), CannotRead, CannotCreate (no room). The folder is
// then as it was, unless the message says how to finish the restore: then no gateway serves it
// before. A restore that was interrupted behind that point is finished and told first; without
// `from` that is all that is done.
[[nodiscard]] Result<Restored> restore_store(const RestoreOptions& options, WallTime now,
                                             const TellRestored& tell = {});

}  // namespace fencegate::storage
