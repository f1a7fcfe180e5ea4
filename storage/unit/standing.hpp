#pragma once
// Standing: what is known beside the rows and stands from batch to batch: who holds and who waits,
// the head of the ledger, how leases went. It follows the rows through every commit and rollback.
// Owns the lock classes. Thread rule: belongs to the store thread.

#include "base/random.hpp"
#include "lockmgr/live_state.hpp"
#include "lockmgr/lock_class.hpp"
#include "storage/money/ledger.hpp"
#include "storage/unit/lease_statistics.hpp"
#include "storage/unit/waiting_acquires.hpp"

#include <utility>

namespace fencegate::storage {

struct Standing {
    // `randomness` outlives it.
    Standing(LedgerState state, lockmgr::WaitLimits limits, lockmgr::LockClasses lock_classes,
             Random& randomness)
        : classes(std::move(lock_classes)),
          random(randomness),
          live(limits, classes),
          waiting(classes.size()),
          ledger(std::move(state)),
          statistics(classes.size()) {}

    const lockmgr::LockClasses classes;
    Random& random;
    lockmgr::LiveState live;
    WaitingAcquires waiting;
    Ledger ledger;
    LeaseStatistics statistics;
};

}  // namespace fencegate::storage
