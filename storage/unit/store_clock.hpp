#pragma once
// StoreClock: the times that a store writes down. Two of them:
//
//   wall    for people. What BelievedWall makes of the wall clock, with what it believed last kept
//           in the store, so that a start is judged by it too while the machine runs on.
//   steady  for spans, in milliseconds. The boot clock, carried on from run to run: it never jumps
//           and never goes back, so the difference of two rows is the time between them. While the
//           machine was off it goes by what the wall clock says was missed, never below nothing.
//           Another machine that serves the same store counts as this one after a restart.
//
// The row that keeps them is written with the first batch that writes, when another time is
// believed, and every few minutes: an engine writes what due() returns.
// Thread rule: belongs to the store thread. Reads and writes no row.

#include "base/believed_wall.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace fencegate::storage {

// What the row says: three readings of one instant.
struct ClockAnchor {
    std::string boot_id;
    std::int64_t boot_ms = 0;
    std::int64_t steady_ms = 0;
    WallTime wall{};
};

class StoreClock {
public:
    // `anchor`: the store's row; nullopt: it has none. `clock` outlives it.
    StoreClock(const std::optional<ClockAnchor>& anchor, const Clock& clock);

    // What time a batch has that begins at `now`. Notices jumps.
    WallTime look(BootTime now);
    [[nodiscard]] const BelievedWall& wall() const noexcept { return wall_; }

    // A machine that has started since, and a wall clock far ahead of what was written last: it may
    // have been off for so long, or its clock may be wrong. The books go by it; somebody should
    // look.
    [[nodiscard]] const std::optional<ClockJump>& gap() const noexcept { return gap_; }

    [[nodiscard]] std::int64_t steady_ms(BootTime now) const;
    // An instant of this or an earlier run on the boot clock of this one.
    [[nodiscard]] BootTime when(std::int64_t steady_ms) const;
    // The same of a row that has no steady time, by its wall time: it is from before version 4.
    [[nodiscard]] BootTime when(WallTime wall) const { return wall_.when(wall); }

    // Within a transaction that writes: the row to write with it, if there is one.
    [[nodiscard]] std::optional<ClockAnchor> due(BootTime now);
    void committed() noexcept;
    void rolled_back() noexcept { pending_ = {}; }

private:
    struct Kept {
        BootTime at;
        Duration offset;
    };

    [[nodiscard]] bool is_this_boot(const ClockAnchor& anchor, BootTime now) const;
    void begin(const ClockAnchor& anchor);

    const Clock& clock_;
    const std::string boot_id_;
    BelievedWall wall_;
    Duration steady_offset_{0};  // steady time less boot time
    std::optional<ClockJump> gap_;
    std::optional<Kept> kept_;
    std::optional<Kept> pending_;
};

}  // namespace fencegate::storage
