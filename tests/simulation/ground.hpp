#pragma once
// Ground: what the store stands on in a world: its engine, what outlives the process, and the
// faults that are met there. In memory a commit fails, or its outcome stays unknown, or there is no
// room; on a disk SQLite loses its power, and has backups.
// Thread rule: one thread. Errors: throws Violation.

#include "base/clock.hpp"
#include "storage/unit/store.hpp"
#include "tests/simulation/options.hpp"
#include "tests/simulation/rows.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/seeded_random.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace fencegate::simulation {

class Ground {
public:
    virtual ~Ground() = default;

    // A process starts. nullptr: a fault struck meanwhile. REQUIRES: the store before is gone.
    [[nodiscard]] virtual std::unique_ptr<storage::Store> open(const Clock& clock) = 0;
    // The store that was opened serves from now on, and nothing is wrong.
    virtual void serve() = 0;
    // The rows of the store that serves.
    [[nodiscard]] virtual RowReader& rows() = 0;
    // The process is about to die: nothing may look at its store any more.
    virtual void leave() = 0;
    // After the last process: what can be said of what it left.
    virtual void check_what_is_left() {}

    // No fault from now on.
    virtual void be_sound() = 0;
    // How often a fault has struck since be_sound().
    [[nodiscard]] virtual std::size_t strikes() const = 0;
    // Whether a fault is still ahead or was there.
    [[nodiscard]] virtual bool is_planned() const = 0;
    // Soon one commit fails, and what it came to is unknown.
    virtual void fail_soon() = 0;
    // Soon there is no room for a while.
    virtual void fill() = 0;

    // What only a disk has: see needs_disk(). Elsewhere none of it happens.
    [[nodiscard]] virtual bool has_lost_power() const { return false; }
    // REQUIRES: left.
    virtual void lose_power() {}
    virtual void lose_power_soon(std::uint64_t /*operations*/) {}
    // False: the store can no longer be trusted.
    [[nodiscard]] virtual bool checkpoint(bool /*empties_log*/) { return true; }
    virtual void back_up() {}
    // The backup takes the place of what is there, above this epoch. REQUIRES: left, a backup.
    virtual void restore(std::int64_t /*epoch_above*/, WallTime /*now*/) {}
};

// Called in the midst of a commit that has something to keep.
using MidCommit = std::function<void()>;

// `random` draws the faults. All of it outlives the ground. REQUIRES: the options say which engine.
[[nodiscard]] std::unique_ptr<Ground> make_ground(const Options& options,
                                                  testing::SeededRandom& random, Trace& trace,
                                                  MidCommit mid_commit);

}  // namespace fencegate::simulation
