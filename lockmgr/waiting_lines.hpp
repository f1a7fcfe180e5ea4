#pragma once
// WaitingLines: the line of waiters of every lock, in the order they came. By sequence, never by
// time: clocks decide only when a waiter gives up. Bounded per lock and in all. A waiter for
// several locks stands in the line of each. Ids are given out rising as waiters come and every line
// is in the order of ids, so the lowest id is first in all of its lines: waiters never wait for
// each other in a circle. A waiter that can be recognised again may be away for a while: it keeps
// its id, is in nobody's way and is nobody's next. Who is away takes up room like who is there.
// Owns the order; what else a waiter asked for is kept by the caller.
// Cost: O(log n) for every change and lock.
// Thread rule: belongs to one thread.

#include "base/clock.hpp"
#include "base/strong.hpp"
#include "lockmgr/deadline_queue.hpp"
#include "lockmgr/lease.hpp"
#include "lockmgr/ranked_ids.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fencegate::lockmgr {

using WaiterId = Strong<struct WaiterIdTag, std::uint64_t>;

// By what a waiter is known again: who asks under which key, and what.
using AskerKey = std::array<std::uint8_t, 16>;
struct RequestKey {
    AskerKey asker{};
    std::array<std::uint8_t, 32> request{};
};

struct Waiter {
    WaiterId id;
    std::uint64_t asker = 0;  // what the caller knows it by; no order is read from it
    std::vector<LockName> locks{};
    Claim claim{};
    std::string principal{};
    std::string owner{};
    BootTime since{};  // when it first came to the line
    BootTime deadline{};
    BootTime asked_at{};  // its last request; `since` unless it was away
    std::optional<RequestKey> key{};
    // The id is kept until then; nullopt: it is there. As of when it left: see kept_until().
    std::optional<BootTime> away_until{};

    [[nodiscard]] bool is_away() const noexcept { return away_until.has_value(); }
};

struct WaitLimits {
    std::size_t per_lock_max = 10'000;
    std::size_t total_max = 100'000;
};

class WaitingLines {
public:
    using Line = std::set<WaiterId>;
    using Places = RankedIds<WaiterId>;

    explicit WaitingLines(WaitLimits limits) : limits_(limits) {}

    // Whether one more may wait for these locks. `per_lock_max` narrows the limit for all
    // locks; 0 does not.
    [[nodiscard]] bool has_room(const std::vector<LockName>& locks, std::size_t per_lock_max) const;
    // REQUIRES: neither id nor key stands in a line. Also puts a removed waiter back to where its
    // id belongs.
    void insert(Waiter waiter);
    // Takes a waiter out wherever it stands, or was to stand.
    [[nodiscard]] std::optional<Waiter> remove(WaiterId id);

    // Those who are there. nullptr: nobody waits for the lock.
    [[nodiscard]] const Waiter* first(const LockName& lock) const;
    // Whether nobody stands before this id in any of these lines.
    [[nodiscard]] bool is_first(const std::vector<LockName>& locks, WaiterId id) const;
    [[nodiscard]] bool is_first(const Waiter& waiter) const {
        return is_first(waiter.locks, waiter.id);
    }
    [[nodiscard]] std::size_t waiting_for(const LockName& lock) const;
    [[nodiscard]] const Line& line(const LockName& lock) const;  // first to be served first
    [[nodiscard]] std::vector<WaiterId> all() const;             // in the order they came
    [[nodiscard]] std::size_t size() const noexcept { return deadlines_.size(); }
    [[nodiscard]] std::optional<BootTime> next_deadline() const;
    // The waiter whose patience ended first, if it has by `now`.
    [[nodiscard]] std::optional<WaiterId> due(BootTime now) const;

    // Those who are there and those who are away. nullptr: nobody has this id, or this key.
    [[nodiscard]] const Waiter* find(WaiterId id) const;
    [[nodiscard]] const Waiter* find_key(const AskerKey& key) const;
    [[nodiscard]] const Places& places(const LockName& lock) const;
    [[nodiscard]] std::size_t away() const noexcept { return kept_.size(); }
    // REQUIRES: it is away.
    [[nodiscard]] BootTime kept_until(const Waiter& waiter) const {
        return *kept_.deadline_of(waiter.id);
    }
    // Who has been away for too long by `now`, the longest first.
    [[nodiscard]] std::optional<WaiterId> given_up(BootTime now) const { return kept_.due(now); }
    // Places are kept for longer by `span`; nobody could come back to them.
    void postpone(BootTime::duration span) noexcept { kept_.postpone(span); }

private:
    WaitLimits limits_;
    std::unordered_map<WaiterId, Waiter> waiters_;  // also who is away
    std::map<AskerKey, WaiterId> keys_;
    std::unordered_map<LockName, Places> places_;  // none that is empty
    // Of those who are there.
    std::unordered_map<LockName, Line> lines_;  // no empty lines
    std::set<std::pair<BootTime, WaiterId>> deadlines_;
    // Of those who are away.
    DeadlineQueue<WaiterId> kept_;
};

}  // namespace fencegate::lockmgr
