#include "storage/unit/store_clock.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

constexpr int kReadingsMax = 3;
constexpr Duration kReadingSpanMax{100};
constexpr auto kKeepEvery = std::chrono::minutes(10);
constexpr Duration kGapTold = std::chrono::days(30);

Duration since_boot(BootTime now) { return std::chrono::floor<Duration>(now.time_since_epoch()); }

}  // namespace

// A store that has no row begins with what the clock says: there is nothing to hold against it.
StoreClock::StoreClock(const std::optional<ClockAnchor>& anchor, const Clock& clock)
    : clock_(clock), boot_id_(clock.boot_id()), wall_(clock.boot_now(), clock.wall_now()) {
    if (anchor) begin(*anchor);
}

bool StoreClock::is_this_boot(const ClockAnchor& anchor, BootTime now) const {
    return anchor.boot_id == boot_id_ && anchor.boot_ms <= since_boot(now).count();
}

void StoreClock::begin(const ClockAnchor& anchor) {
    const auto now = clock_.boot_now();
    const auto steady = Duration(anchor.steady_ms);
    if (is_this_boot(anchor, now)) {
        const auto passed = since_boot(now) - Duration(anchor.boot_ms);
        steady_offset_ = steady + passed - since_boot(now);
        wall_ = BelievedWall(now, anchor.wall + passed);
        return;
    }
    // How long the machine was off nobody knows but the wall clock. Where it is behind what was
    // written last, look() says so and follows it, unless it cannot be right.
    const Duration passed = clock_.wall_now() - anchor.wall;
    const auto basis =
        passed < Duration(0) ? BelievedWall::Basis::Guess : BelievedWall::Basis::Known;
    const auto at_least = std::max(passed, Duration(0));
    steady_offset_ = steady + at_least - since_boot(now);
    if (passed > kGapTold)
        gap_ = ClockJump{.expected = anchor.wall,
                         .shown = anchor.wall + passed,
                         .is_believed = true,
                         .is_gap = true};
    wall_ = BelievedWall(now, anchor.wall + at_least, basis);
}

// A thread that is stopped between two readings would see a jump: such a pair says nothing.
WallTime StoreClock::look(BootTime now) {
    for (int tries = 0; tries < kReadingsMax; ++tries) {
        const auto before = clock_.boot_now();
        const auto shown = clock_.wall_now();
        if (clock_.boot_now() - before > kReadingSpanMax) continue;
        wall_.look(before, shown);
        break;
    }
    return wall_.at(now);
}

std::int64_t StoreClock::steady_ms(BootTime now) const {
    return (since_boot(now) + steady_offset_).count();
}

BootTime StoreClock::when(std::int64_t steady_ms) const {
    return BootTime(Duration(steady_ms) - steady_offset_);
}

std::optional<ClockAnchor> StoreClock::due(BootTime now) {
    const bool is_kept = kept_ && now - kept_->at < kKeepEvery &&
                         std::chrono::abs(kept_->offset - wall_.offset()) <= BelievedWall::kDrift;
    if (is_kept) return std::nullopt;
    pending_ = Kept{now, wall_.offset()};
    return ClockAnchor{boot_id_, since_boot(now).count(), steady_ms(now), wall_.at(now)};
}

void StoreClock::committed() noexcept {
    if (pending_) kept_ = pending_;
    pending_ = {};
}

}  // namespace fencegate::storage
