#pragma once
// Batch: what one transaction shares with every command in it, and what it will tell the world if
// it commits. Thread rule: belongs to the store thread.

#include "base/clock.hpp"
#include "base/random.hpp"
#include "lockmgr/live_state.hpp"
#include "lockmgr/lock_class.hpp"
#include "storage/model/command.hpp"
#include "storage/model/engine.hpp"
#include "storage/model/store_events.hpp"
#include "storage/unit/lease_statistics.hpp"
#include "storage/unit/rows.hpp"
#include "storage/unit/waiting_room.hpp"

#include <vector>

namespace fencegate::storage {

// An answer on its way: held back until the commit it depends on.
struct Outcome {
    Ticket ticket;
    Answer answer;
};

struct Batch {
    BootTime now;   // when it began: what documents and measurements are as of
    WallTime wall;  // for people; as the store believes it; see store.hpp
    // How far the order of events has come: to the arrival of the command that is executed. What
    // fell due later has not, for that command. Never after `now`.
    BootTime at{};
    std::int64_t hour = 0;            // see sweeper.hpp
    std::vector<Outcome> outcomes{};  // of waiters; each command's own answer is returned
    std::vector<StoreEvent> events{};
    std::vector<LockNotice> notices{};
    std::vector<Contention> contentions{};
    std::vector<Ticket> enqueued{};          // waiters that entered in this batch
    std::vector<lockmgr::LockName> freed{};  // somebody in their lines may be granted now
    std::size_t served = 0;                  // waiters that were
    std::size_t run_due = 0;                 // ends of leases and of rests
    std::size_t contradictions = 0;          // grants that the rows did not allow
    // False on a full disk: a refusal is then answered without being put on record.
    bool keeps_record = true;
    // False where a damaged page was met: who is told that a lock is held is not told by whom.
    bool tells_holder = true;

    // Whether somebody came to wait or left a line.
    [[nodiscard]] bool lines_moved() const { return !enqueued.empty() || !outcomes.empty(); }
};

// The rows, the live state and what is remembered of leases: one store, one owner.
struct Tables {
    // What is behind `rows`, and `classes`, outlive it.
    Tables(const Rows& rows, lockmgr::WaitLimits limits, const lockmgr::LockClasses& classes)
        : leases(rows.leases),
          refusals(rows.refusals),
          elections(rows.elections),
          runs(rows.runs),
          payments(rows.payments),
          entries(rows.entries),
          answers(rows.answers),
          consumers(rows.consumers),
          ledger(rows.ledger),
          live(limits, classes),
          room(classes.size()),
          statistics(classes.size()) {}
    LeaseRows& leases;
    RefusalRows& refusals;
    ElectionRows& elections;
    RunRows& runs;
    PaymentRows& payments;
    EntryRows& entries;
    AnswerRows& answers;
    ConsumerRows& consumers;
    Ledger ledger;
    lockmgr::LiveState live;
    WaitingRoom room;
    LeaseStatistics statistics;
};

[[nodiscard]] inline Answer refusal(Error error) {
    Answer answer;
    answer.error = std::move(error);
    return answer;
}

}  // namespace fencegate::storage
