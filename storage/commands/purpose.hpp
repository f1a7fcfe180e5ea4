#pragma once
// Purpose: what a lock is acquired for beside itself. A campaign proclaims its first value and a
// claim is recorded as the run's, each in the transaction of the grant.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/unit/unit.hpp"

#include <optional>

namespace fencegate::storage {

// The refusal if there is nothing to acquire the lock for: the run is done, missed or not due. To
// be asked when the request comes and again when its wait is over.
[[nodiscard]] std::optional<Answer> refuse_purpose(Unit& unit, const AcquireLock& acquire);

void fulfil_purpose(Unit& unit, const AcquireLock& acquire, const lockmgr::Lease& lease);

// Why the claim that led to `lease`, which has ended, is over: its run is done, or failed under it.
[[nodiscard]] std::optional<Error> finished_run(Unit& unit, const AcquireLock& acquire,
                                                const lockmgr::Lease& lease);

}  // namespace fencegate::storage
