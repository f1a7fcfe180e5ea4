#include "lockmgr/stall_meter.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

StallMeter::Span StallMeter::look(BootTime now) noexcept {
    const auto gap = std::max(now - looked_at_, Span::zero());
    looked_at_ = now;
    if (gap <= kStallAfter) {
        served_ = std::min<Span>(served_ + gap, kStallAfter);
        return Span::zero();
    }
    const auto owed = kStallAfter - served_;
    served_ = Span::zero();
    return gap - owed;
}

}  // namespace fencegate::lockmgr
