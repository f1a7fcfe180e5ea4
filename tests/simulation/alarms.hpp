#pragma once
// Alarms: when the store must wake up although nobody asks, beside the leases and waits that end:
// to look for deadlocks once lines have moved, to forget what is old, and to note what has run of
// an hour. They live in the process and die with it, but for that note. Thread rule: one thread.
// Errors: throws Violation.

#include "base/clock.hpp"

#include <optional>

namespace fencegate::simulation {

class Alarms {
public:
    // `ran`: of the hour, as the rows have it.
    void opened(BootTime now, Duration ran);
    // Whether the rows may have this note now.
    void check_note(Duration ran) const;
    struct Ran {
        BootTime now{};
        bool had_commands = false;
        bool has_moved_lines = false;  // somebody began to wait, or was answered after waiting
        bool was_full = false;
        bool timers_waited = false;  // because the disk had been full before
        bool has_counted_hour = false;
        Duration noted{};  // what of the hour the rows say has run
    };
    void ran(const Ran& batch);
    // Something may have been written, by a batch of which nobody knows or by a stop.
    void may_have_noted(BootTime now);
    // `ending`: when the next lease, wait or rest ends.
    void check(std::optional<BootTime> armed, std::optional<BootTime> ending) const;

    [[nodiscard]] bool is_hour_over(BootTime now) const noexcept { return now >= hour_ends_; }

private:
    [[nodiscard]] Duration ran_by(BootTime now) const;
    void note(Duration ran, bool is_certain);

    BootTime hour_ends_{};
    BootTime note_at_{};
    Duration noted_low_{};  // what the rows have is between these
    Duration noted_high_{};
    BootTime next_sweep_{};  // or the end of the hour, if nothing is left to be forgotten
    std::optional<BootTime> deadlock_look_{};
};

}  // namespace fencegate::simulation
