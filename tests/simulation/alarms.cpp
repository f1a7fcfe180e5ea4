#include "tests/simulation/alarms.hpp"

#include "tests/simulation/violation.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

using std::chrono::hours;

constexpr Duration kSweepPause{20};
constexpr Duration kDeadlockLookAfter{1'000};

}  // namespace

void Alarms::opened(BootTime now) {
    hour_ends_ = now + hours(1);
    next_sweep_ = now + kSweepPause;
    deadlock_look_.reset();
}

void Alarms::ran(BootTime now, bool had_commands, bool lines_moved, bool timers_wait) {
    if (deadlock_look_ && now >= *deadlock_look_) deadlock_look_.reset();
    if (lines_moved && !deadlock_look_) deadlock_look_ = now + kDeadlockLookAfter;
    if (timers_wait || (now < next_sweep_ && !had_commands)) return;
    if (is_hour_over(now)) hour_ends_ = now + hours(1);
    next_sweep_ = now + kSweepPause;
}

void Alarms::check(std::optional<BootTime> armed, std::optional<BootTime> ending) const {
    if (!armed) throw Violation(Rule::Timers, "the store never wakes up again");
    auto latest = std::min(ending.value_or(hour_ends_), hour_ends_);
    if (deadlock_look_) latest = std::min(latest, *deadlock_look_);
    if (*armed > latest)
        throw Violation(Rule::Timers, "the store sleeps on when a lease, a wait or an hour ends");
    if (*armed < latest && *armed != next_sweep_)
        throw Violation(Rule::Timers, "the store wakes up for nothing");
}

}  // namespace fencegate::simulation
