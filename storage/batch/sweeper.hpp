#pragma once
// Sweeper: forgets what nobody needs any more: idempotency answers and ended leases past their
// retention.
// Age is counted in hours that the store has run, not by the wall clock: a clock that jumps a year
// ahead must not make the store forget which refunds it has paid. Each hour leaves a row, with the
// last token it issued, and once a minute what has run of the present one is noted, so that
// restarts cost a minute and not an hour. Time during which nothing ran does not age anything,
// which only keeps things longer. The newest lease of a lock that is held stays: the list of locks
// and the history begin there. A little is deleted with each batch, in proportion to it, so that
// sweeping keeps up with any load and holds nobody up. Thread rule: belongs to the store thread.
// Call only within a transaction.

#include "base/clock.hpp"
#include "lockmgr/holdings.hpp"
#include "storage/model/engine.hpp"
#include "storage/unit/unit.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace fencegate::storage {

struct Swept {
    std::size_t answers = 0;
    std::size_t leases = 0;
};

class Sweeper {
public:
    Sweeper(UpkeepReader& reader, const Retention& retention, BootTime now);

    // Notes that an hour is over, or what has run of it, if it is time.
    void count_hours(Unit& unit);
    // Notes what has run of the hour. Before a restart, so that nothing is lost.
    void note_running(UpkeepChanges& changes, BootTime now);
    // The hour that rows written now belong to.
    [[nodiscard]] std::int64_t hour() const noexcept { return state_.hour; }

    // Deletes at most `budget` rows of each kind.
    Swept sweep(Unit& unit, std::size_t budget);
    // All since the last commit is there to stay, or never was: what was noted and deleted, and how
    // far the round had come.
    void commit() { committed_ = state_; }
    void roll_back() { state_ = committed_; }

    // Somebody else who works by the hour has more to do.
    void stay_awake(BootTime now);

    // When there is something to do although nobody asks.
    [[nodiscard]] BootTime next() const noexcept { return state_.resume_at; }

private:
    std::size_t sweep_answers(Unit& unit, std::size_t budget);
    std::size_t sweep_leases(Unit& unit, std::size_t budget);
    [[nodiscard]] std::vector<OldLease> old_leases(UpkeepReader& reader, std::size_t budget,
                                                   bool& is_end);
    // Looks at everything again.
    void begin_round(UpkeepReader& reader);
    void end_hour(Unit& unit);
    // When an hour is over or what has run of it is to be noted.
    [[nodiscard]] BootTime next_count() const noexcept;

    struct State {
        BootTime counted_at;
        BootTime note_at;
        BootTime resume_at;
        std::int64_t hour = 0;
        BootTime::duration ran{0};  // of this hour, until counted_at
        bool answers_left = true;   // perhaps; until a look finds none
        bool leases_left = true;
        std::int64_t leases_after = 0;  // looked at up to this token
        std::int64_t leases_until = 0;  // younger ones cannot have ended long enough ago
    };
    Retention retention_;
    State state_;
    State committed_;
};

}  // namespace fencegate::storage
