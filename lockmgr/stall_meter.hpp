#pragma once
// StallMeter: how much of the time that has passed was a stall: time in which the store did not
// look at what had arrived, because a commit, a checkpoint or the whole process hung. The caller
// gives it back to every deadline, because no holder could make itself heard meanwhile.
// A look once in kStallAfter is service. Of stalls that follow each other at once something is
// kept: between two of them at least kStallAfter counts. So a store whose every commit is slow
// still ends the leases of the dead, in bounded time, and an isolated stall costs nobody anything.
// Thread rule: belongs to one thread. Pure: callers pass `now`.

#include "base/clock.hpp"

namespace fencegate::lockmgr {

class StallMeter {
public:
    using Span = BootTime::duration;

    // Whoever waits looks up at least every kLookEvery; two looks further apart than kStallAfter
    // are a stall.
    static constexpr Duration kLookEvery{100};
    static constexpr Duration kStallAfter{200};

    explicit StallMeter(BootTime now) noexcept : looked_at_(now) {}

    // The store looks at what has arrived. Returns what is to be given back since the last look.
    [[nodiscard]] Span look(BootTime now) noexcept;

    [[nodiscard]] BootTime looked_at() const noexcept { return looked_at_; }

private:
    BootTime looked_at_;
    Span served_{kStallAfter};  // since the last stall, and no more than is asked for
};

}  // namespace fencegate::lockmgr
