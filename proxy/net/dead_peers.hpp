#pragma once
// A peer whose machine died or whose network is gone says nothing any more. The kernel finds out by
// asking: so a waiter that can no longer be told of its grant loses its place instead of holding
// the lock for a TTL, and an idle connection does not hold its seat for ever.
// Thread rule: pure; the socket is the caller's.

#include "base/clock.hpp"

namespace fencegate::proxy {

// Idle for so long, a peer is asked, and again, until kPeerSilentMax has passed without a sign.
inline constexpr Duration kPeerAskedAfter{15'000};
inline constexpr Duration kPeerAskedAgain{5'000};
// So long may sent bytes stay unacknowledged, or a peer that reads nothing keep its window shut.
inline constexpr Duration kPeerSilentMax{40'000};

// False: the system does not take the options; the socket works without.
bool notice_dead_peer(int socket) noexcept;

}  // namespace fencegate::proxy
