#pragma once
// ExpiryQueue: when each live lease runs out, soonest first.
// Owns deadlines only; the leases are rows in the store. After a restart every live lease is armed
// again with its full TTL: longer is safe, shorter is not.
// Cost: O(log n) for every change, O(1) for next().
// Thread rule: belongs to one thread.

#include "base/clock.hpp"
#include "lockmgr/fencing_token.hpp"

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace fencegate::lockmgr {

class ExpiryQueue {
public:
    // Sets or replaces the deadline of `token`; returns the one it had.
    std::optional<BootTime> arm(FencingToken token, BootTime deadline);
    // Forgets `token`; returns the deadline it had.
    std::optional<BootTime> disarm(FencingToken token);

    [[nodiscard]] std::optional<BootTime> deadline_of(FencingToken token) const;
    [[nodiscard]] std::optional<BootTime> next_deadline() const;
    // The lease that ran out first, if one has by `now`.
    [[nodiscard]] std::optional<FencingToken> due(BootTime now) const;
    [[nodiscard]] std::size_t size() const noexcept { return deadlines_.size(); }

private:
    std::set<std::pair<BootTime, std::int64_t>> order_;
    std::unordered_map<std::int64_t, BootTime> deadlines_;
};

}  // namespace fencegate::lockmgr
