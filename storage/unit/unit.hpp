#pragma once
// Unit: one batch as its commands see it. They read rows as the batch leaves them, change them
// here and in what stands beside them, and say here what the world is told if it all commits.
// Nothing reaches the engine before write(), so whoever refuses has changed nothing.
// Thread rule: belongs to the store thread. Lives from begin() to commit() or roll_back() of the
// store.
// Source: the unit of work as in Fowler, "Patterns of Enterprise Application Architecture", 2002.

#include "base/clock.hpp"
#include "storage/model/command.hpp"
#include "storage/model/engine.hpp"
#include "storage/model/store_events.hpp"
#include "storage/unit/standing.hpp"
#include "storage/unit/store.hpp"
#include "storage/unit/tables.hpp"

#include <vector>

namespace fencegate::storage {

// An answer on its way: held back until the commit it depends on.
struct Outcome {
    Ticket ticket;
    Answer answer;
};

// When a batch began.
struct Moment {
    BootTime now;           // what documents and measurements are as of
    WallTime wall;          // for people; as the store believes it; see store.hpp
    std::int64_t hour = 0;  // see batch/sweeper.hpp
};

class Unit {
public:
    // Both outlive it.
    Unit(Store& store, Standing& standing, const Moment& moment);

    // The rows for whoever reads more than one by its key: all that was changed so far is written.
    [[nodiscard]] const Readers& flushed();
    // Writes what was changed since the last time.
    void write();
    // The same, and has_failed() then says whether that could be done.
    void settle();
    [[nodiscard]] bool has_failed() const noexcept { return store_.failure().has_value(); }

    [[nodiscard]] Stamp stamp() const noexcept { return {wall, hour, now}; }

    const BootTime now;
    const WallTime wall;
    const std::int64_t hour;
    // How far the order of events has come: to the arrival of the command that is executed. What
    // fell due later has not, for that command. Never after `now`.
    BootTime at{};
    // False on a full disk: a refusal is then answered without being put on record.
    bool keeps_record = true;
    // False where a damaged page was met: who is told that a lock is held is not told by whom.
    bool tells_holder = true;

    // --- rows ---
    LeaseTable leases;
    AnswerTable answers;
    PaymentTable payments;
    ElectionTable elections;
    RunTable runs;
    ConsumerTable consumers;
    UpkeepChanges upkeep{};

    // --- what stands beside them ---
    const lockmgr::LockClasses& classes;
    Random& random;
    lockmgr::LiveState& live;
    WaitingRoom& room;
    Ledger& ledger;
    const LeaseStatistics& statistics;

    // --- what is told once it is there to stay ---
    std::vector<Outcome> outcomes{};  // of waiters; each command's own answer is returned
    std::vector<StoreEvent> events{};
    std::vector<LockNotice> notices{};
    std::vector<Contention> contentions{};
    std::size_t contradictions = 0;  // grants that the rows did not allow

    // --- how far it has come ---
    std::vector<Ticket> enqueued{};          // waiters that entered in this batch
    std::vector<lockmgr::LockName> freed{};  // somebody in their lines may be granted now
    std::size_t served = 0;                  // waiters that were
    std::size_t run_due = 0;                 // ends of leases and of rests

    // Whether somebody came to wait or left a line.
    [[nodiscard]] bool lines_moved() const { return !enqueued.empty() || !outcomes.empty(); }

private:
    Store& store_;
    const Readers readers_;
};

[[nodiscard]] inline Answer refusal(Error error) {
    Answer answer;
    answer.error = std::move(error);
    return answer;
}

}  // namespace fencegate::storage
