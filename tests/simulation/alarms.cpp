#include "tests/simulation/alarms.hpp"

#include "tests/simulation/trace.hpp"
#include "tests/simulation/violation.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

using std::chrono::hours;

constexpr Duration kNoteEvery{60'000};
constexpr Duration kSweepPause{20};
constexpr Duration kDeadlockLookAfter{1'000};

}  // namespace

void Alarms::opened(BootTime now, Duration ran) {
    hour_ends_ = now + hours(1) - ran;
    note_at_ = now + kNoteEvery;
    note(ran, /*is_certain=*/true);
    next_sweep_ = now + kSweepPause;
    deadlock_look_.reset();
}

void Alarms::ran(const Ran& batch) {
    const auto now = batch.now;
    if (deadlock_look_ && now >= *deadlock_look_) deadlock_look_.reset();
    if (batch.has_moved_lines && !deadlock_look_) deadlock_look_ = now + kDeadlockLookAfter;
    // It also wakes to note the time, which may be sooner than its pause ends if nothing is left.
    const bool has_noted = now >= note_at_ && batch.noted == ran_by(now);
    // With a full disk what it had begun is as it was before, and waits. If nothing is left to be
    // forgotten, the end of the hour may come sooner than its pause ends.
    const bool has_swept =
        batch.has_counted_hour || (!batch.timers_waited && !batch.was_full &&
                                   (batch.had_commands || now >= next_sweep_ || has_noted));
    const bool counts_hour = has_swept && is_hour_over(now);
    if (counts_hour && !batch.has_counted_hour)
        throw Violation(Rule::Kept, "an hour is over and was not counted");
    if (batch.has_counted_hour) hour_ends_ = now + hours(1);
    if (has_swept && (counts_hour || now >= note_at_)) {
        note_at_ = now + kNoteEvery;
        note(ran_by(now), /*is_certain=*/true);
    }
    if (has_swept) next_sweep_ = now + kSweepPause;
}

Duration Alarms::ran_by(BootTime now) const {
    const auto ran = now - (hour_ends_ - hours(1));
    return std::min(std::chrono::duration_cast<Duration>(ran), hours(1) - Duration(1));
}

void Alarms::note(Duration ran, bool is_certain) {
    noted_low_ = is_certain ? ran : std::min(noted_low_, ran);
    noted_high_ = is_certain ? ran : std::max(noted_high_, ran);
}

void Alarms::may_have_noted(BootTime now) {
    note(ran_by(now), /*is_certain=*/false);
    if (is_hour_over(now)) note(Duration(0), /*is_certain=*/false);
}

void Alarms::check_note(Duration ran) const {
    if (ran < noted_low_ || ran > noted_high_)
        throw Violation(Rule::Kept,
                        text_of("the rows say that ", ran.count(), " ms of the hour have run, of ",
                                noted_low_.count(), " to ", noted_high_.count()));
}

void Alarms::check(std::optional<BootTime> armed, std::optional<BootTime> ending) const {
    if (!armed) throw Violation(Rule::Timers, "the store never wakes up again");
    const auto hour = std::max(std::min(hour_ends_, note_at_), next_sweep_);
    auto latest = std::min(ending.value_or(hour), hour);
    if (deadlock_look_) latest = std::min(latest, *deadlock_look_);
    if (*armed > latest)
        throw Violation(Rule::Timers, "the store sleeps on when a lease, a wait or an hour ends");
    if (*armed < latest && *armed != next_sweep_ && *armed != hour_ends_ && *armed != note_at_)
        throw Violation(Rule::Timers, "the store wakes up for nothing");
}

}  // namespace fencegate::simulation
