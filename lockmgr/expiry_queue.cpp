#include "lockmgr/expiry_queue.hpp"

namespace fencegate::lockmgr {

std::optional<BootTime> ExpiryQueue::arm(FencingToken token, BootTime deadline) {
    const auto before = disarm(token);
    deadlines_.emplace(token.value(), deadline);
    order_.emplace(deadline, token.value());
    return before;
}

std::optional<BootTime> ExpiryQueue::disarm(FencingToken token) {
    const auto found = deadlines_.find(token.value());
    if (found == deadlines_.end()) return std::nullopt;
    const auto deadline = found->second;
    order_.erase({deadline, token.value()});
    deadlines_.erase(found);
    return deadline;
}

std::optional<BootTime> ExpiryQueue::deadline_of(FencingToken token) const {
    const auto found = deadlines_.find(token.value());
    if (found == deadlines_.end()) return std::nullopt;
    return found->second;
}

std::optional<BootTime> ExpiryQueue::next_deadline() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->first;
}

std::optional<FencingToken> ExpiryQueue::due(BootTime now) const {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    return FencingToken(order_.begin()->second);
}

}  // namespace fencegate::lockmgr
