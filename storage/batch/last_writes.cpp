#include "storage/batch/last_writes.hpp"

namespace fencegate::storage {

void LastWrites::complete(std::vector<StoreEvent>& events) {
    bool has_ends = false;
    for (auto& event : events) {
        if (const auto* check = std::get_if<FenceEvent>(&event)) {
            // A late write is none: its lease has ended, and was told already.
            if (check->token) share_left_.insert_or_assign(*check->token, check->share_left);
        } else if (auto* end = std::get_if<LeaseEndEvent>(&event)) {
            has_ends = true;
            const auto found = share_left_.find(end->token);
            if (found != share_left_.end()) end->share_left_at_write = found->second;
        }
    }
    if (!has_ends) return;
    // Only now: a lease over several locks ends with an event for each.
    for (const auto& event : events) {
        if (const auto* end = std::get_if<LeaseEndEvent>(&event)) share_left_.erase(end->token);
    }
}

}  // namespace fencegate::storage
