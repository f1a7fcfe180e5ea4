#pragma once
// The end of a lease with the last write under it: X-Fence-Release. One place for every kind of
// fenced write, behind the write and before its answer is recorded, in the same savepoint: a write
// that is taken back takes the end back with it.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/commands/lock_commands.hpp"

namespace fencegate::storage {

// Ends the lease whose token the write presented and says in the answer how the fence stands now:
// Released, or Stale if it had run out before and the write was accepted late.
// REQUIRES: the write succeeded just now; its answer is not a replay under its key.
void release_on_write(Tables& tables, LockCommands& locks, Batch& batch, const Command& command,
                      Answer& answer);

}  // namespace fencegate::storage
