#pragma once
// Looks: when the store looked at what had arrived, and what it owes for the time in between. The
// rule as the documents tell it: two looks more than 200 ms apart are a stall; a stall is given
// back, less what is missing to 200 ms of service since the stall before.
// Thread rule: one thread.

#include "base/clock.hpp"

#include <algorithm>

namespace fencegate::simulation {

class Looks {
public:
    using Span = BootTime::duration;

    // A new process owes nothing.
    void opened(BootTime now) {
        last_ = now;
        stall_ended_ = now - kService;
    }

    // What every deadline is put off by.
    [[nodiscard]] Span look(BootTime now) {
        const auto began = std::exchange(last_, now);
        if (now - began <= kService) return Span::zero();
        const auto served = began - std::exchange(stall_ended_, now);
        return now - began - std::max(kService - served, Span::zero());
    }

private:
    static constexpr Span kService = std::chrono::milliseconds(200);

    BootTime last_{};
    BootTime stall_ended_{};
};

}  // namespace fencegate::simulation
