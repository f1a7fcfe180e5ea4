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
    // A batch was run. `lines_moved`: somebody began to wait, or was answered after waiting.
    void ran(BootTime now, bool had_commands, bool lines_moved, bool timers_wait);
    // `ending`: when the next lease, wait or rest ends.
    void check(std::optional<BootTime> armed, std::optional<BootTime> ending) const;

    [[nodiscard]] bool is_hour_over(BootTime now) const noexcept { return now >= hour_ends_; }

private:
    BootTime hour_ends_{};
    BootTime next_sweep_{};  // or the end of the hour, if nothing is left to be forgotten
    std::optional<BootTime> deadlock_look_{};
};

}  // namespace fencegate::simulation
