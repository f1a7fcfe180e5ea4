#pragma once
// The rule the product exists for: may a write under this token go through?
// Pure: the caller reads the lease row inside the transaction that will carry the write, and asks.
// No clock is consulted: a lease has ended when the transaction that ended it came first.
// Thread rule: pure functions.
// Source: Kleppmann 2016; GFS 2003 §4.5 (install before reveal); contract §3.

#include "base/result.hpp"
#include "lockmgr/fencing_token.hpp"
#include "lockmgr/lease.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace fencegate::lockmgr {

// What X-Fence-Token held. Syntax is judged where the request is read, but answered only after the
// idempotency look-up: a replay does not need a token at all.
enum class TokenFault : std::uint8_t { Absent, Malformed };
using PresentedToken = std::expected<FencingToken, TokenFault>;

// The one way to say that no token was sent.
inline constexpr std::unexpected<TokenFault> kNoToken{TokenFault::Absent};

enum class FenceVerdict : std::uint8_t {
    Accepted,
    AcceptedLate,  // expired, not superseded, and the class accepts late writes
    Stale,
    Expired,
    Released,
    Broken,
    Unknown,
    LockMismatch,
    NotHolder,
};

// `lease` is the row the token names, nullptr if there is none. `lock` is what the route guards,
// and needs an exclusive lease: who shares a lock does not write. nullptr if the route takes a
// token without naming a lock (creating a payment); a reader's does not do there either.
[[nodiscard]] FenceVerdict check_fence(const Lease* lease, const LockName* lock,
                                       std::string_view principal,
                                       bool accepts_late_writes) noexcept;

[[nodiscard]] bool is_accepted(FenceVerdict verdict) noexcept;

// REQUIRES: !is_accepted(verdict).
[[nodiscard]] ErrorCode refusal_code(FenceVerdict verdict) noexcept;

}  // namespace fencegate::lockmgr
