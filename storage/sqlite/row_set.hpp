#pragma once
// RowSet: every table of an open store, and the clock that its rows are written by.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/answer_rows.hpp"
#include "storage/sqlite/clock_row.hpp"
#include "storage/sqlite/consumer_rows.hpp"
#include "storage/sqlite/election_rows.hpp"
#include "storage/sqlite/entry_rows.hpp"
#include "storage/sqlite/lease_rows.hpp"
#include "storage/sqlite/ledger_rows.hpp"
#include "storage/sqlite/payment_rows.hpp"
#include "storage/sqlite/refusal_rows.hpp"
#include "storage/sqlite/run_rows.hpp"
#include "storage/sqlite/upkeep_rows.hpp"
#include "storage/unit/store_clock.hpp"

namespace fencegate::storage::sqlite {

struct RowSet {
    RowSet(Connection& connection, const Clock& wall_and_boot)
        : clock_row(connection),
          clock(clock_row.read(), wall_and_boot),
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
        payments.write_payments(changes);
        ledger.write_entries(changes.ledger);
        payments.write_references(changes);
        ledger.write_balances(changes.ledger);
        answers.write(changes);
        consumers.write(changes);
        upkeep.write(changes.upkeep);
    }

    // Within a transaction that writes.
    void keep_clock(BootTime now) {
        if (const auto anchor = clock.due(now)) clock_row.write(*anchor);
    }

    ClockRow clock_row;
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
