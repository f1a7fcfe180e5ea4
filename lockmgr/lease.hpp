#pragma once
// Lease: one grant of one lock to one holder, and the ways it ends.
//
//            grant                  expire                grant to another
//   (free) --------> LIVE ----------------> EXPIRED -----------------------> SUPERSEDED
//                     |
//                     +----- release ----> RELEASED
//                     +----- break ------> BROKEN
//
// Every edge is one committed transaction. Only LIVE writes pass the fence (and EXPIRED ones where
// the class accepts late writes). No state is ever left again except EXPIRED -> SUPERSEDED.
// Thread rule: plain values.

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "lockmgr/fencing_token.hpp"
#include "lockmgr/lock_name.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fencegate::lockmgr {

// Written to disk: never renumber.
enum class LeaseState : std::uint8_t {
    Live = 0,
    Expired = 1,     // the TTL ran out
    Superseded = 2,  // expired, and a newer grant was made since
    Released = 3,    // its holder let go
    Broken = 4,      // an admin force-released it
};

struct Lease {
    FencingToken token;
    Uuid id;
    LockName lock;
    std::string principal;  // who authenticated
    std::string owner;      // the principal's own label for this holder; may be empty
    Duration ttl;
    std::string metadata_json;  // an object, or empty
    WallTime granted_at;        // for people
    LeaseState state = LeaseState::Live;
    WallTime ended_at{};  // for people; meaningless while live
};

// A lease id is a UUIDv7 whose low 53 bits are the token: unique because the token is, sortable
// because v7 is, and found without an index of its own. It is not a secret.
[[nodiscard]] Uuid make_lease_id(WallTime now, FencingToken token, Random& random);
[[nodiscard]] std::optional<FencingToken> token_of_lease_id(const Uuid& id) noexcept;

}  // namespace fencegate::lockmgr
