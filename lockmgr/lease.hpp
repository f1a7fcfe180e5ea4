#pragma once
// Lease: one grant of one or more locks to one holder, and the ways it ends.
//
//            grant                  expire                grant to another
//   (free) --------> LIVE ----------------> EXPIRED -----------------------> SUPERSEDED
//                     |
//                     +----- release ----> RELEASED
//                     +----- break ------> BROKEN
//
// Every edge is one committed transaction. Only LIVE, exclusive leases pass the fence (and EXPIRED
// ones where the class accepts late writes). No state is ever left again except EXPIRED ->
// SUPERSEDED. A lease over several locks lives and ends as a whole, under one token.
// Thread rule: plain values.

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "lockmgr/fencing_token.hpp"
#include "lockmgr/lock_name.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::lockmgr {

inline constexpr std::size_t kLocksPerLeaseMax = 16;
inline constexpr std::int64_t kPermitsMax = 1'000;

// How a lock is held. Written to disk: never renumber.
enum class LockMode : std::uint8_t {
    Exclusive = 0,  // alone
    Shared = 1,     // beside other readers; never passes the fence of a write
    Semaphore = 2,  // beside up to permits - 1 others, each under a token of its own
};

[[nodiscard]] std::string_view lock_mode_name(LockMode mode) noexcept;

// In what way a lock is asked for and held. Holders of a semaphore must agree on `permits`.
struct Claim {
    LockMode mode = LockMode::Exclusive;
    std::int64_t permits = 1;  // above 1 only for a semaphore

    friend bool operator==(const Claim&, const Claim&) = default;
};

// Written to disk: never renumber.
enum class LeaseState : std::uint8_t {
    Live = 0,
    Expired = 1,     // the TTL ran out
    Superseded = 2,  // expired, and a newer grant was made since
    Released = 3,    // its holder let go
    Broken = 4,      // an admin force-released it
};

[[nodiscard]] std::string_view lease_state_name(LeaseState state) noexcept;

// How a lease that was live ended. Superseded is no end: it is told of one that had expired.
enum class LeaseEnding : std::uint8_t { Released, Expired, Broken };
inline constexpr std::array kLeaseEndings{LeaseEnding::Released, LeaseEnding::Expired,
                                          LeaseEnding::Broken};

// What a lease is once it ended so. The name of an ending is that of the state.
[[nodiscard]] LeaseState state_after(LeaseEnding ending) noexcept;
[[nodiscard]] std::string_view lease_ending_name(LeaseEnding ending) noexcept;

struct Lease {
    FencingToken token;
    Uuid id{};
    std::vector<LockName> locks{};  // sorted, without repetition, one at least
    Claim claim{};
    std::string principal{};  // who authenticated
    std::string owner{};      // the principal's own label for this holder; may be empty
    Duration ttl{0};
    std::string metadata_json{};  // an object, or empty
    WallTime granted_at{};        // for people
    LeaseState state = LeaseState::Live;
    WallTime ended_at{};  // for people; meaningless while live
    // The same instants on the boot clock, for spans. Of an earlier run they may be before it
    // began.
    BootTime held_since{};
    BootTime ended_since{};

    [[nodiscard]] bool covers(const LockName& lock) const noexcept;
};

// A lease id is a UUIDv7 whose low 53 bits are the token: unique because the token is, sortable
// because v7 is, and found without an index of its own. It is not a secret.
[[nodiscard]] Uuid make_lease_id(WallTime now, FencingToken token, Random& random);
[[nodiscard]] std::optional<FencingToken> token_of_lease_id(const Uuid& id) noexcept;

}  // namespace fencegate::lockmgr
