#pragma once
// What `fencegate top` is told: events of the watch stream and readings of locks, as plain values.
// Owns: nothing but the shape. Texts are as the gateway sent them: the view makes them printable.
// Times are the gateway's own. Thread rule: plain values.

#include "base/clock.hpp"
#include "lockmgr/lease.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fencegate::cli::top {

enum class Kind : std::uint8_t { Granted, Renewed, Ended, Refused };
inline constexpr std::size_t kKinds = 4;

// One event about locks.
struct Happening {
    Kind kind = Kind::Granted;
    lockmgr::LeaseEnding ending{};  // Ended
    std::vector<std::string> locks{};
    std::int64_t token = 0;
    std::string principal{};
    std::string owner{};  // not of a refusal
    Duration ttl{};       // Granted, Renewed
    WallTime at{};
    std::string code{};              // Refused
    std::string reason{};            // of a break
    Duration late{};                 // Refused: how long ago the lease had ended
    std::int64_t current_token = 0;  // Refused: of who holds the lock now; 0: nobody
};

struct HolderReading {
    std::int64_t token = 0;
    std::string principal{};
    std::string owner{};
    Duration ttl{};
    Duration remaining{};
    WallTime granted_at{};
};

// A lock as the gateway showed it.
struct LockReading {
    std::string lock{};
    std::size_t holder_count = 0;
    std::vector<HolderReading> holders{};  // the first, or up to 100
    std::size_t waiters = 0;
    std::optional<Duration> longest_wait{};  // known when the line was read
};

// A page of the list of held locks: all of them behind `after`, up to and with `until`.
struct LockPage {
    std::vector<LockReading> locks{};
    std::string after{};
    std::optional<std::string> until{};  // nothing: to the end
};

enum class LinkState : std::uint8_t { Connecting, Live, Draining, Lost };

// How the connection to the gateway stands.
struct Link {
    LinkState state = LinkState::Connecting;
    std::string words{};  // why, for a person
};

// Events were missed: what is known of locks is worth nothing until it was read again.
struct Missed {
    std::string reason{};
};

// The gateway's clock less ours.
struct Skew {
    Duration ahead{};
};

// Events from here on are complete.
struct CoveredSince {
    WallTime at{};
};

struct News {
    std::variant<Happening, LockReading, LockPage, Link, Missed, Skew, CoveredSince> what;
    WallTime heard_at{};  // our clock
};

}  // namespace fencegate::cli::top
