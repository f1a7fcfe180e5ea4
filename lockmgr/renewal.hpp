#pragma once
// How far a lease may be renewed. Pure rules: callers pass `now` and what they know of the lease.
//
// Two brakes on a holder that hangs while its heartbeat goes on. Both are off unless a class sets
// them, both act on liveness only: the fence does not depend on them.
//   max_hold               no deadline later than this after the grant
//   stalled_renewals_max   a holder that sends `progress` must raise it at least every so many
//                          renewals; it is warned, then refused
// What is counted here lives in memory: a restart counts anew, which only lengthens a lease.
// Thread rule: pure functions and plain values.
// Source: the absolute maximum that users of watchdogs ask for; AWS's paper on leader election
// warns of heartbeats that outlive the work (research: locks, items 11 and 13).

#include "base/clock.hpp"
#include "base/result.hpp"
#include "lockmgr/lock_class.hpp"

#include <cstdint>
#include <optional>

namespace fencegate::lockmgr {

// What is known of a lease that one of the brakes applies to.
struct Renewals {
    BootTime held_since{};
    std::optional<std::int64_t> progress{};  // the highest that was sent
    std::int64_t stalled = 0;                // renewals since it rose

    friend bool operator==(const Renewals&, const Renewals&) = default;
};

struct RenewalAsked {
    BootTime now{};
    BootTime deadline{};  // the one it has
    Duration ttl{0};
    std::optional<std::int64_t> progress{};
};

struct RenewalDecision {
    BootTime deadline{};
    std::optional<Renewals> renewals{};   // to be remembered
    std::optional<Duration> hold_left{};  // max_hold cut the deadline: nothing is left after it
    std::optional<std::int64_t> stalled_renewals_left{};  // no progress: so many are left
};

// What is to be known of a lease from its grant on, if anything.
[[nodiscard]] std::optional<Renewals> renewals_at_grant(const LockClass& klass, BootTime now);

// The deadline that a grant or renewal at `now` may have.
[[nodiscard]] BootTime cap_deadline(BootTime deadline, const std::optional<Renewals>& renewals,
                                    const LockClass& klass);

// Fails with: MaxHoldReached, NoProgress. The lease then keeps the deadline it has.
[[nodiscard]] Result<RenewalDecision> decide_renewal(const RenewalAsked& asked,
                                                     const std::optional<Renewals>& known,
                                                     const LockClass& klass);

}  // namespace fencegate::lockmgr
