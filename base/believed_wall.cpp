#include "base/believed_wall.hpp"

#include <algorithm>

namespace fencegate {
namespace {

using std::chrono::abs;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;

// Two clocks are not read at one instant, nor in whole milliseconds.
constexpr Duration kReading{1};
// Of a jump ahead, how much of it the clock must stand.
constexpr int kStandingShare = 60;
constexpr Duration kStandingMin = minutes(1);
constexpr Duration kStandingMax = hours(1);
// A step back that is taken back: an operator's slip, a time zone.
constexpr Duration kSlipMax = days(1);
constexpr Duration kSlipStands = hours(1);

Duration since_boot(BootTime now) { return floor<Duration>(now.time_since_epoch()); }

bool is_close(Duration left, Duration right) { return abs(left - right) <= BelievedWall::kDrift; }

}  // namespace

BelievedWall::BelievedWall(BootTime now, WallTime wall, Basis basis)
    : offset_(wall.time_since_epoch() - since_boot(now)), basis_(basis), stands_since_(now) {}

WallTime BelievedWall::at(BootTime now) const { return WallTime(since_boot(now) + offset_); }

BootTime BelievedWall::when(WallTime wall) const {
    return BootTime(wall.time_since_epoch() - offset_);
}

WallTime BelievedWall::look(BootTime now, WallTime shown) {
    jump_.reset();
    const auto seen = shown.time_since_epoch() - since_boot(now);
    if (is_close(seen, offset_)) {
        if (abs(seen - offset_) > kReading) offset_ = seen;
        candidate_.reset();
        return at(now);
    }
    const bool is_new = !candidate_ || !is_close(seen, candidate_->offset);
    if (is_new) candidate_ = Candidate{seen, now};
    candidate_->offset = seen;
    const auto expected = at(now);
    const bool is_believed = believes(now, shown);
    if (is_new || is_believed) jump_ = ClockJump{expected, shown, is_new, is_believed};
    if (is_believed) follow(now, seen);
    return at(now);
}

bool BelievedWall::believes(BootTime now, WallTime shown) const {
    const auto expected = at(now);
    if (expected < kEarliest) return true;
    if (shown < kEarliest) return false;
    if (basis_ == Basis::Guess) return true;
    if (shown < expected || is_way_back(now, candidate_->offset)) return true;
    const Duration ahead = shown - expected;
    return now - candidate_->since >=
           std::clamp(ahead / kStandingShare, kStandingMin, kStandingMax);
}

bool BelievedWall::is_way_back(BootTime now, Duration seen) const {
    if (!way_back_ || seen > way_back_->offset + kDrift) return false;
    const auto stood = now - stands_since_;
    const bool was_slip = way_back_->offset - offset_ <= kSlipMax && stood <= kSlipStands;
    return was_slip || way_back_->stood > stood;
}

void BelievedWall::follow(BootTime now, Duration seen) {
    const auto stood = now - stands_since_;
    stands_since_ = now;
    if (seen < offset_ && (!way_back_ || stood >= way_back_->stood)) {
        way_back_ = WayBack{offset_, stood};
    } else if (way_back_ && seen >= way_back_->offset - kDrift) {
        stands_since_ -= way_back_->stood;
        way_back_.reset();
    }
    // A guess says how late it is at least, so a time behind it settles nothing.
    if (seen > offset_) basis_ = Basis::Known;
    offset_ = seen;
    candidate_.reset();
}

}  // namespace fencegate
