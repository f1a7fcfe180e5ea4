#pragma once
// DeadlineQueue: what falls due when, soonest first: live leases by token, locks that rest after an
// expiry by name. Owns deadlines only. After a restart every live lease is armed again with its
// full TTL: longer is safe, shorter is not.
// Cost: O(log n) for every change, O(1) for next_deadline(), due() and postpone().
// All deadlines are kept less what they were postponed by together.
// Thread rule: belongs to one thread.

#include "base/clock.hpp"

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace fencegate::lockmgr {

// REQUIRES: Key is ordered and Hash hashes it.
template <class Key, class Hash = std::hash<Key>>
class DeadlineQueue {
public:
    // Sets or replaces the deadline of `key`; returns the one it had.
    std::optional<BootTime> arm(const Key& key, BootTime deadline) {
        const auto before = disarm(key);
        deadlines_.emplace(key, deadline - postponed_);
        order_.emplace(deadline - postponed_, key);
        return before;
    }

    // Forgets `key`; returns the deadline it had.
    std::optional<BootTime> disarm(const Key& key) {
        const auto found = deadlines_.find(key);
        if (found == deadlines_.end()) return std::nullopt;
        const auto deadline = found->second;
        order_.erase({deadline, key});
        deadlines_.erase(found);
        return deadline + postponed_;
    }

    // Every deadline is later by `span`.
    void postpone(BootTime::duration span) noexcept { postponed_ += span; }

    [[nodiscard]] std::optional<BootTime> deadline_of(const Key& key) const {
        const auto found = deadlines_.find(key);
        if (found == deadlines_.end()) return std::nullopt;
        return found->second + postponed_;
    }

    [[nodiscard]] std::optional<BootTime> next_deadline() const {
        if (order_.empty()) return std::nullopt;
        return order_.begin()->first + postponed_;
    }

    // What fell due first, if something has by `now`.
    [[nodiscard]] std::optional<Key> due(BootTime now) const {
        if (order_.empty() || order_.begin()->first + postponed_ > now) return std::nullopt;
        return order_.begin()->second;
    }

    [[nodiscard]] std::size_t size() const noexcept { return deadlines_.size(); }

private:
    BootTime::duration postponed_{0};
    std::set<std::pair<BootTime, Key>> order_;
    std::unordered_map<Key, BootTime, Hash> deadlines_;
};

}  // namespace fencegate::lockmgr
