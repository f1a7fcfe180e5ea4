#pragma once
// Batch: what one transaction shares with every command in it, and what it will tell the world if
// it commits. Thread rule: belongs to the store thread.

#include "base/clock.hpp"
#include "base/random.hpp"
#include "lockmgr/live_state.hpp"
#include "lockmgr/lock_class.hpp"
#include "storage/command.hpp"
#include "storage/engine.hpp"
#include "storage/sqlite/answer_rows.hpp"
#include "storage/sqlite/lease_rows.hpp"
#include "storage/sqlite/payment_rows.hpp"
#include "storage/sqlite/waiting_room.hpp"
#include "storage/store_events.hpp"

#include <vector>

namespace fencegate::storage::sqlite {

// An answer on its way: held back until the commit it depends on.
struct Outcome {
    Ticket ticket;
    Answer answer;
};

struct Batch {
    BootTime now;
    WallTime wall;
    std::vector<Outcome> outcomes;  // of waiters; each command's own answer is returned
    std::vector<StoreEvent> events;
    std::vector<Ticket> enqueued;  // waiters that entered in this batch
};

// The rows and the live state: one store, one owner.
struct Tables {
    Tables(Connection& connection, lockmgr::WaitLimits limits, std::size_t classes)
        : leases(connection),
          payments(connection),
          answers(connection),
          live(limits),
          room(classes) {}
    LeaseRows leases;
    PaymentRows payments;
    AnswerRows answers;
    lockmgr::LiveState live;
    WaitingRoom room;
};

[[nodiscard]] inline Answer refusal(Error error) {
    Answer answer;
    answer.error = std::move(error);
    return answer;
}

}  // namespace fencegate::storage::sqlite
