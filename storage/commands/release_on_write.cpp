#include "storage/commands/release_on_write.hpp"

#include "storage/model/operation.hpp"

namespace fencegate::storage {

using lockmgr::LeaseState;

void release_on_write(Tables& tables, LockCommands& locks, Batch& batch, const Command& command,
                      Answer& answer) {
    const auto token = presented_token(command.operation);
    if (!token) return;
    // A run may be told its end again when its lease is no longer kept.
    const auto lease = tables.leases.find(*token);
    if (!lease) return;
    if (lease->state == LeaseState::Live) locks.end(batch, *lease, LeaseState::Released);
    // Done, failed and resign have released it themselves by now.
    const bool is_released =
        lease->state == LeaseState::Live || lease->state == LeaseState::Released;
    answer.fence_status = is_released ? FenceStatus::Released : FenceStatus::Stale;
}

}  // namespace fencegate::storage
