#pragma once
// WaitQueue: who waits for which lock, in the order they came. FIFO by sequence, never by time:
// clocks decide only when a waiter gives up. Bounded per lock and in all.
// Owns the order; what a waiter asked for is kept by the caller.
// Ids are given out rising as waiters come, so the order of ids is the order of arrival.
// Cost: O(1) to enter, leave and pop, O(log n) for the deadline.
// Thread rule: belongs to one thread.

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "lockmgr/lock_name.hpp"

#include <cstdint>
#include <list>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fencegate::lockmgr {

using WaiterId = Strong<struct WaiterIdTag, std::uint64_t>;

struct Waiter {
    WaiterId id;
    std::uint64_t asker;  // what the caller knows it by; no order is read from it
    LockName lock;
    BootTime since;
    BootTime deadline;
};

struct WaitLimits {
    std::size_t per_lock_max = 10'000;
    std::size_t total_max = 100'000;
};

class WaitQueue {
public:
    explicit WaitQueue(WaitLimits limits) : limits_(limits) {}
    WaitQueue(const WaitQueue&) = delete;  // places_ points into lines_
    WaitQueue& operator=(const WaitQueue&) = delete;

    // False if a bound is reached; nothing changes then. REQUIRES: the id is not queued yet.
    [[nodiscard]] bool push_back(Waiter waiter);
    [[nodiscard]] std::optional<Waiter> pop_front(const LockName& lock);
    // Takes a waiter out wherever it stands.
    [[nodiscard]] std::optional<Waiter> remove(WaiterId id);
    // Puts a popped or removed waiter back to where its id belongs. For undoing.
    void restore(Waiter waiter);

    [[nodiscard]] std::size_t waiting_for(const LockName& lock) const;
    [[nodiscard]] std::vector<WaiterId> line(
        const LockName& lock) const;  // first to be served first
    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    [[nodiscard]] std::optional<BootTime> next_deadline() const;
    // The waiter whose patience ended first, if it has by `now`.
    [[nodiscard]] std::optional<WaiterId> due(BootTime now) const;

private:
    using Line = std::list<Waiter>;

    void index(Line::iterator place);

    WaitLimits limits_;
    std::unordered_map<LockName, Line> lines_;  // no empty lines
    std::unordered_map<WaiterId, Line::iterator> places_;
    std::set<std::pair<BootTime, std::uint64_t>> deadlines_;
};

}  // namespace fencegate::lockmgr
