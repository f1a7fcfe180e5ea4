#include "storage/sqlite/store_clock.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {
namespace {

constexpr int kReadingsMax = 3;
constexpr Duration kReadingSpanMax{100};
constexpr auto kKeepEvery = std::chrono::minutes(10);
constexpr Duration kGapTold = std::chrono::days(30);

Duration since_boot(BootTime now) { return std::chrono::floor<Duration>(now.time_since_epoch()); }

}  // namespace

StoreClock::StoreClock(Connection& connection, const Clock& clock)
    : clock_(clock),
      boot_id_(clock.boot_id()),
      wall_(clock.boot_now(), clock.wall_now()),
      keep_(connection,
            "INSERT INTO store_clock (id, boot_id, boot_ms, steady_ms, wall_ms) "
            "VALUES (1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET boot_id = excluded.boot_id, "
            "boot_ms = excluded.boot_ms, steady_ms = excluded.steady_ms, "
            "wall_ms = excluded.wall_ms") {
    begin(read(connection));
}

std::optional<StoreClock::Anchor> StoreClock::read(Connection& connection) {
    Statement find(connection,
                   "SELECT boot_id, boot_ms, steady_ms, wall_ms FROM store_clock WHERE id = 1");
    auto row = find.query();
    if (!row.next()) return std::nullopt;
    return Anchor{.boot_id = std::string(row.text(0)),
                  .boot_ms = row.integer(1),
                  .steady_ms = row.integer(2),
                  .wall = WallTime(std::chrono::milliseconds(row.integer(3)))};
}

bool StoreClock::is_this_boot(const Anchor& anchor, BootTime now) const {
    return anchor.boot_id == boot_id_ && anchor.boot_ms <= since_boot(now).count();
}

// A store that has no row begins with what the clock says: there is nothing to hold against it.
void StoreClock::begin(const std::optional<Anchor>& anchor) {
    if (!anchor) return;
    const auto now = clock_.boot_now();
    const auto steady = Duration(anchor->steady_ms);
    if (is_this_boot(*anchor, now)) {
        const auto passed = since_boot(now) - Duration(anchor->boot_ms);
        steady_offset_ = steady + passed - since_boot(now);
        wall_ = BelievedWall(now, anchor->wall + passed);
        return;
    }
    // How long the machine was off nobody knows but the wall clock. Where it is behind what was
    // written last, look() says so and follows it, unless it cannot be right.
    const Duration passed = clock_.wall_now() - anchor->wall;
    const auto basis =
        passed < Duration(0) ? BelievedWall::Basis::Guess : BelievedWall::Basis::Known;
    const auto at_least = std::max(passed, Duration(0));
    steady_offset_ = steady + at_least - since_boot(now);
    if (passed > kGapTold)
        gap_ = ClockJump{.expected = anchor->wall,
                         .shown = anchor->wall + passed,
                         .is_believed = true,
                         .is_gap = true};
    wall_ = BelievedWall(now, anchor->wall + at_least, basis);
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

void StoreClock::keep_if_due(BootTime now) {
    const bool is_kept = kept_ && now - kept_->at < kKeepEvery &&
                         std::chrono::abs(kept_->offset - wall_.offset()) <= BelievedWall::kDrift;
    if (is_kept) return;
    keep_.run(boot_id_, since_boot(now).count(), steady_ms(now),
              wall_.at(now).time_since_epoch().count());
    pending_ = Kept{now, wall_.offset()};
}

void StoreClock::committed() noexcept {
    if (pending_) kept_ = pending_;
    pending_ = {};
}

}  // namespace fencegate::storage::sqlite
