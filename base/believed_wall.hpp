#pragma once
// BelievedWall: what time to write down while the wall clock may be wrong. The boot clock advances
// as time does; so wall time less boot time stays what it is, but for drift, until somebody sets
// the clock. Who is right then, the clock or what was believed before, is decided here:
//
//   up to kDrift apart           the clock, without a word: that is drift, or a leap second's half
//   before kEarliest             wrong, whichever of the two it is: this program was not yet there
//   against a guess              the clock, at once
//   behind what was believed     the clock, at once: a time ahead spoils more than one behind
//   ahead, and back to what was believed before, or a little while ago    the clock, at once
//   ahead otherwise              the clock once it has stood for a sixtieth of the jump, a minute
//                                at least and an hour at most; what was believed until then
//
// So a clock set ahead is not followed further than the boot clock explains, unless it stays; and
// one that is set right is followed at once, or soon. Why so: docs/decisions.md, D70.
// Thread rule: a plain value. Reads no clock; `now` never goes back.

#include "base/clock.hpp"

#include <optional>

namespace fencegate {

struct ClockJump {
    WallTime expected;   // by the boot clock
    WallTime shown;      // by the wall clock
    bool is_new = true;  // else it was told before, and is believed by now
    bool is_believed = false;
    // At a start after the machine was: `expected` is then the last time that is known, and nothing
    // says how long it was off.
    bool is_gap = false;
};

class BelievedWall {
public:
    static constexpr Duration kDrift{500};
    static constexpr WallTime kEarliest =
        std::chrono::sys_days(std::chrono::January / 1 / std::chrono::year(2025));

    // A guess gives way to whatever clock may be right.
    enum class Basis : std::uint8_t { Known, Guess };

    // Begins by believing that it is `wall` at `now`.
    BelievedWall(BootTime now, WallTime wall, Basis basis = Basis::Known);

    // Compares with what the clock shows. Returns the time to write down.
    WallTime look(BootTime now, WallTime shown);

    // The believed time at an instant of the boot clock, and that instant at a believed time.
    [[nodiscard]] WallTime at(BootTime now) const;
    [[nodiscard]] BootTime when(WallTime wall) const;
    // Believed wall time less boot time.
    [[nodiscard]] Duration offset() const noexcept { return offset_; }

    // What look() has just found: a jump, or that one is now believed.
    [[nodiscard]] const std::optional<ClockJump>& jump() const noexcept { return jump_; }

private:
    // What was believed before the clock was set back.
    struct WayBack {
        Duration offset;
        BootTime::duration stood;
    };
    struct Candidate {
        Duration offset;
        BootTime since;
    };

    [[nodiscard]] bool believes(BootTime now, WallTime shown) const;
    [[nodiscard]] bool is_way_back(BootTime now, Duration seen) const;
    void follow(BootTime now, Duration seen);

    Duration offset_;
    Basis basis_;
    BootTime stands_since_;
    std::optional<WayBack> way_back_;
    std::optional<Candidate> candidate_;
    std::optional<ClockJump> jump_;
};

}  // namespace fencegate
