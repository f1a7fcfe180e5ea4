#pragma once
// RowSet: every table of an open store, and the clock that its rows are written by.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/answer_rows.hpp"
#include "storage/sqlite/consumer_rows.hpp"
#include "storage/sqlite/election_rows.hpp"
#include "storage/sqlite/entry_rows.hpp"
#include "storage/sqlite/lease_rows.hpp"
#include "storage/sqlite/ledger_rows.hpp"
#include "storage/sqlite/payment_rows.hpp"
#include "storage/sqlite/refusal_rows.hpp"
#include "storage/sqlite/run_rows.hpp"
#include "storage/sqlite/store_clock.hpp"
#include "storage/sqlite/upkeep_rows.hpp"

namespace fencegate::storage::sqlite {

struct RowSet {
    RowSet(Connection& connection, const Clock& wall_and_boot)
        : clock(connection, wall_and_boot),
          leases(connection, clock),
          refusals(connection),
          elections(connection),
          runs(connection),
          payments(connection),
          entries(connection),
          answers(connection),
          consumers(connection),
          ledger(connection),
          upkeep(connection) {}

    [[nodiscard]] Readers readers() noexcept {
        return {leases,  refusals, elections, runs,   payments,
                entries, answers,  consumers, ledger, upkeep};
    }

    void write(const Changes& changes) {
        leases.write(changes);
        refusals.write(changes);
        elections.write(changes);
        runs.write(changes);
        payments.write(changes);
        ledger.write(changes.ledger);
        answers.write(changes);
        consumers.write(changes);
        upkeep.write(changes.upkeep);
    }

    StoreClock clock;
    LeaseRows leases;
    RefusalRows refusals;
    ElectionRows elections;
    RunRows runs;
    PaymentRows payments;
    EntryRows entries;
    AnswerRows answers;
    ConsumerRows consumers;
    LedgerRows ledger;
    UpkeepRows upkeep;
};

}  // namespace fencegate::storage::sqlite
