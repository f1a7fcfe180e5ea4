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
// Call only between BEGIN and COMMIT.

#include "base/clock.hpp"
#include "lockmgr/holdings.hpp"
#include "storage/model/engine.hpp"
#include "storage/unit/rows.hpp"

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
    // `rows` outlives it.
    Sweeper(UpkeepRows& rows, const Retention& retention, BootTime now);

    // Notes that an hour is over, or what has run of it, if it is time.
    void count_hours(BootTime now);
    // Notes what has run of the hour. Before a restart, so that nothing is lost.
    void note_running(BootTime now);
    // The hour that rows written now belong to.
    [[nodiscard]] std::int64_t hour() const noexcept { return hour_; }

    // Deletes at most `budget` rows of each kind.
    Swept sweep(std::size_t budget, BootTime now, const lockmgr::Holdings& holdings);
    // Looks at everything again. Also after a rollback, which took back what was noted and deleted.
    void begin_round();

    // Somebody else who works by the hour has more to do.
    void stay_awake(BootTime now);

    // When there is something to do although nobody asks.
    [[nodiscard]] BootTime next() const noexcept { return resume_at_; }

private:
    std::size_t sweep_answers(std::size_t budget);
    std::size_t sweep_leases(std::size_t budget, const lockmgr::Holdings& holdings);
    [[nodiscard]] std::vector<OldLease> old_leases(std::size_t budget, bool& is_end);
    [[nodiscard]] bool is_head_of_held(const OldLease& lease, const lockmgr::Holdings& holdings);
    void end_hour();
    // When an hour is over or what has run of it is to be noted.
    [[nodiscard]] BootTime next_count() const noexcept;

    UpkeepRows& rows_;
    Retention retention_;
    std::int64_t hour_ = 0;
    BootTime counted_at_;
    BootTime::duration ran_{0};  // of this hour, until counted_at_
    BootTime note_at_;
    BootTime resume_at_;
    bool answers_left_ = true;  // perhaps; until a look finds none
    bool leases_left_ = true;
    std::int64_t leases_after_ = 0;  // looked at up to this token
    std::int64_t leases_until_ = 0;  // younger ones cannot have ended long enough ago
};

}  // namespace fencegate::storage
