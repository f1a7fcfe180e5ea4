#pragma once
// WaitQueue: who waits for which locks, in the order they came. FIFO by sequence, never by time:
// clocks decide only when a waiter gives up. Bounded per lock and in all.
// A waiter for several locks stands in the line of each. Ids are given out rising as waiters come
// and every line is in the order of ids, so the lowest id is first in all of its lines: waiters
// never wait for each other in a circle.
// Owns the order; what else a waiter asked for is kept by the caller.
// Cost: O(log n) for every change and lock.
// Thread rule: belongs to one thread.

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "lockmgr/lease.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fencegate::lockmgr {

using WaiterId = Strong<struct WaiterIdTag, std::uint64_t>;

struct Waiter {
    WaiterId id;
    std::uint64_t asker = 0;  // what the caller knows it by; no order is read from it
    std::vector<LockName> locks{};
    Claim claim{};
    std::string principal{};
    std::string owner{};
    BootTime since{};
    BootTime deadline{};
};

struct WaitLimits {
    std::size_t per_lock_max = 10'000;
    std::size_t total_max = 100'000;
};

class WaitQueue {
public:
    using Line = std::set<WaiterId>;

    explicit WaitQueue(WaitLimits limits) : limits_(limits) {}

    // Whether one more may wait for these locks. `per_lock_max` narrows the limit for all
    // locks; 0 does not.
    [[nodiscard]] bool has_room(const std::vector<LockName>& locks, std::size_t per_lock_max) const;
    // REQUIRES: the id is not queued. Also puts a removed waiter back to where its id belongs.
    void insert(Waiter waiter);
    // Takes a waiter out wherever it stands.
    [[nodiscard]] std::optional<Waiter> remove(WaiterId id);

    // nullptr: nobody waits for the lock, or nobody has this id.
    [[nodiscard]] const Waiter* first(const LockName& lock) const;
    [[nodiscard]] const Waiter* find(WaiterId id) const;
    // Whether nobody stands before it in any of its lines.
    [[nodiscard]] bool is_first(const Waiter& waiter) const;

    [[nodiscard]] std::size_t waiting_for(const LockName& lock) const;
    [[nodiscard]] const Line& line(const LockName& lock) const;  // first to be served first
    [[nodiscard]] std::vector<WaiterId> all() const;             // in the order they came
    [[nodiscard]] std::size_t size() const noexcept { return waiters_.size(); }
    [[nodiscard]] std::optional<BootTime> next_deadline() const;
    // The waiter whose patience ended first, if it has by `now`.
    [[nodiscard]] std::optional<WaiterId> due(BootTime now) const;

private:
    WaitLimits limits_;
    std::unordered_map<WaiterId, Waiter> waiters_;
    std::unordered_map<LockName, Line> lines_;  // no empty lines
    std::set<std::pair<BootTime, WaiterId>> deadlines_;
};

}  // namespace fencegate::lockmgr
