#pragma once
// Model: what `fencegate top` knows of a gateway: who holds which lock, who waits, what expired and
// what was refused. Events change it, readings correct it.
// Owns: that state, bounded. Refuses to own: clocks, the network, how it looks.
// Invariant: a reading is never older than the events that were applied before it, and the events
// behind it come in the gateway's order. So a reading replaces what was known of its lock, and an
// event that is older than the reading is put right by those that follow it.
// Thread rule: one thread. Times are the gateway's; News carry ours.

#include "cli/top/happening.hpp"
#include "cli/top/rates.hpp"

#include <deque>
#include <map>

namespace fencegate::cli::top {

inline constexpr std::size_t kLocksMax = 20'000;  // shown as more, not kept
inline constexpr std::size_t kRecentMax = 100;    // of each list

struct Holder {
    std::int64_t token = 0;
    std::string principal{};
    std::string owner{};
    Duration ttl{};
    WallTime granted_at{};
    WallTime ends_at{};
};

struct Lock {
    std::vector<Holder> holders{};   // oldest first
    std::size_t holders_unseen = 0;  // known by number only
    std::size_t waiters = 0;
    std::optional<Duration> longest_wait{};
    WallTime line_read_at{};  // of longest_wait
    bool is_resting = false;  // a reading said that nobody holds it and somebody waits
};
using Locks = std::map<std::string, Lock, std::less<>>;

struct Recent {
    Happening what;
    std::optional<Duration> held{};  // of a lease that ended
    std::string owner{};             // whose token it was, if that is known
};

class Model {
public:
    void apply(const News& news);

    [[nodiscard]] const Locks& locks() const noexcept { return locks_; }
    [[nodiscard]] bool has_more_locks() const noexcept { return has_more_locks_; }
    [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }  // all were read
    // Newest first.
    [[nodiscard]] const std::deque<Recent>& ended() const noexcept { return ended_; }
    [[nodiscard]] const std::deque<Recent>& refused() const noexcept { return refused_; }
    [[nodiscard]] double per_second(Kind kind, WallTime now) const {
        return rates_.per_second(kind, now, covered_since_);
    }
    [[nodiscard]] double per_second(lockmgr::LeaseEnding ending, WallTime now) const {
        return rates_.per_second(ending, now, covered_since_);
    }
    [[nodiscard]] const Link& link() const noexcept { return link_; }
    [[nodiscard]] WallTime link_since() const noexcept { return link_since_; }
    [[nodiscard]] Duration skew() const noexcept { return skew_; }

private:
    void take(const Happening& event);
    void take(const LockReading& reading, WallTime now);
    void take(const LockPage& page, WallTime now);
    void grant(const Happening& event);
    void renew(const Happening& event);
    void end(const Happening& event);
    void refuse(const Happening& event);
    Lock* find_or_add(const std::string& name);
    void drop_if_idle(const std::string& name);
    void remember(std::deque<Recent>& list, Recent recent);

    Locks locks_;
    bool has_more_locks_ = false;
    bool is_complete_ = false;
    std::deque<Recent> ended_;
    std::deque<Recent> refused_;
    // Of leases that ended lately: a refusal names the token only.
    std::deque<std::pair<std::int64_t, std::string>> owners_;
    Rates rates_;
    WallTime covered_since_{};
    Link link_;
    WallTime link_since_{};
    Duration skew_{};
};

}  // namespace fencegate::cli::top
