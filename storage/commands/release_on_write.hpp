#pragma once
// The end of a lease with the last write under it: X-Fence-Release. One place for every kind of
// fenced write, behind the write and before its answer is recorded, in the same unit: if the write
// does not commit, the lease has not ended.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

// Ends the lease whose token the write presented and says in the answer how the fence stands now:
// Released, or Stale if it had run out before and the write was accepted late.
// REQUIRES: the write succeeded just now; its answer is not a replay under its key.
void release_on_write(Unit& unit, const Command& command, Answer& answer);

}  // namespace fencegate::storage
