#pragma once
// Alarms: when the store must wake up although nobody asks, beside the leases and waits that end:
// to look for deadlocks once lines have moved, and to forget what is old. They live in the process
// and die with it.
// Thread rule: one thread. Errors: throws Violation.

#include "base/clock.hpp"

#include <optional>

namespace fencegate::simulation {

class Alarms {
public:
    void opened(BootTime now);
    struct Ran {
        BootTime now{};
        bool had_commands = false;
        bool has_moved_lines = false;  // somebody began to wait, or was answered after waiting
        bool was_full = false;
        bool timers_waited = false;  // because the disk had been full before
        bool has_counted_hour = false;
    };
    void ran(const Ran& batch);
    // `ending`: when the next lease, wait or rest ends.
    void check(std::optional<BootTime> armed, std::optional<BootTime> ending) const;

    [[nodiscard]] bool is_hour_over(BootTime now) const noexcept { return now >= hour_ends_; }

private:
    BootTime hour_ends_{};
    BootTime next_sweep_{};  // or the end of the hour, if nothing is left to be forgotten
    std::optional<BootTime> deadlock_look_{};
};

}  // namespace fencegate::simulation
