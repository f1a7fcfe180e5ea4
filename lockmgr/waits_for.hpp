#pragma once
// The waits-for graph: who waits for whom, and in which circles. Reports only; nothing is killed:
// every wait has a deadline and every lease a TTL, so a deadlock resolves itself, late.
// A party is a principal with its owner label. Without a label nobody can tell whether a waiter
// and a holder are one program, so such a one is a party of its own.
// Whoever is first in a line waits for the holders; everybody else for the one before it, because
// lines are served in order.
// Bounded: the waiters that have waited longest are looked at, the first kWaitersLookedAt of them.
// Thread rule: pure functions and plain values.

#include "lockmgr/live_state.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace fencegate::lockmgr {

inline constexpr std::size_t kWaitersLookedAt = 10'000;

struct Party {
    std::string principal;
    std::string owner;

    friend bool operator==(const Party&, const Party&) = default;
};

// `waiter` cannot go on before `blocker` does.
struct Wait {
    Party waiter;
    LockName lock;
    Party blocker;
    bool blocker_holds = true;  // else it stands before the waiter in the line
};

// The last one's blocker is the first one's waiter.
using WaitCycle = std::vector<Wait>;

// Who holds a lock under this token.
using FindHolder = std::function<Party(FencingToken)>;

// At most `max` cycles that have no party in common, each as short as following the waits finds it.
// Cost: O(waits) for each cycle found, and O(waits) if there is none.
[[nodiscard]] std::vector<WaitCycle> find_deadlocks(const LiveState& live,
                                                    const FindHolder& holder_of, std::size_t max);

}  // namespace fencegate::lockmgr
