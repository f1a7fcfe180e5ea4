#pragma once
// Pure rules deciding who holds a lock. No I/O, no clock: callers pass rows and limits.
// Invariant 1: a lock has at most one live lease that is exclusive, and then no other.
// Invariant 2: whoever waits is granted before whoever comes later.
// Thread rule: pure functions.

#include "base/result.hpp"
#include "lockmgr/lease.hpp"
#include "lockmgr/lock_class.hpp"

#include <optional>
#include <string_view>

namespace fencegate::lockmgr {

// The TTL a lease gets: the class default if none was asked for.
// Fails with: InvalidArgument outside the class bounds. It is refused, not clamped: a client that
// asked for 10 ms and was given 100 would plan with a number it never read.
[[nodiscard]] Result<Duration> decide_ttl(std::optional<Duration> asked, const LockClass& klass);

enum class AcquireDecision : std::uint8_t { Grant, Wait, Refuse };

// Granted if it fits and nobody waits for any of the locks: a reader does not overtake a writer who
// waits. The same holder asking again is a contender like any other: a woken zombie must stand in
// line and must not fence the rightful owner by re-acquiring.
[[nodiscard]] AcquireDecision decide_acquire(bool fits, bool somebody_waits,
                                             Duration wait) noexcept;

// Renew and release act on a live lease of the caller's own principal.
// Fails with: LeaseNotFound, FenceNotHolder, GoneExpired, GoneStale, GoneReleased, GoneBroken.
// `lease`: nullptr if there is none.
[[nodiscard]] Result<> check_own_lease(const Lease* lease, std::string_view principal);

// Whether a lease of mode `asked` may be granted while the newest lease of the lock stands as it
// does: nothing stands beside an exclusive one that is live.
[[nodiscard]] bool may_follow(LeaseState newest, LockMode newest_mode, LockMode asked) noexcept;

}  // namespace fencegate::lockmgr
