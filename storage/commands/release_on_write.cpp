#include "storage/commands/release_on_write.hpp"

#include "storage/commands/grants.hpp"
#include "storage/model/operation.hpp"

namespace fencegate::storage {

using lockmgr::LeaseEnding;
using lockmgr::LeaseState;

void release_on_write(Unit& unit, const Command& command, Answer& answer) {
    const auto token = presented_token(command.operation);
    if (!token) return;
    // A run may be told its end again when its lease is no longer kept.
    const auto* lease = unit.leases.find(*token);
    if (lease == nullptr) return;
    // Done, failed and resign have released it themselves by now.
    if (lease->state == LeaseState::Live) end_lease(unit, *lease, LeaseEnding::Released);
    answer.fence_status =
        lease->state == LeaseState::Released ? FenceStatus::Released : FenceStatus::Stale;
}

}  // namespace fencegate::storage
