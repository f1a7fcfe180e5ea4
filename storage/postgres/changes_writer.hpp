#pragma once
// ChangesWriter: writes Changes, one statement a table, whatever the number of rows. Nothing is
// waited for: a failure is met at the next question or at the commit.
// Thread rule: as its Connection.

#include "storage/postgres/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/store_clock.hpp"

namespace fencegate::storage::postgres {

class LockWriter {
public:
    LockWriter(Connection& connection, const StoreClock& clock);

    void write(const Changes& changes);

private:
    void insert(const std::vector<NewLease>& granted);
    void insert_further(const std::vector<NewLease>& granted);
    void set_heads(const std::vector<NewHead>& heads);
    void change(const std::vector<LeaseChange>& changes);
    void insert_refusals(const std::vector<NewRefusal>& refusals);

    Connection& connection_;
    const StoreClock& clock_;
    Statement set_counter_;
    Statement insert_;
    Statement insert_further_;
    Statement insert_heads_;
    Statement move_heads_;
    Statement change_;
    Statement insert_refusals_;
};

class MoneyWriter {
public:
    explicit MoneyWriter(Connection& connection);

    void write(const Changes& changes);

private:
    void insert_payments(const std::vector<Payment>& payments);
    void update_payments(const std::vector<Payment>& payments);
    void insert_references(const std::vector<NewReference>& references);
    void insert_entries(const std::vector<JournalEntry>& entries);
    void insert_turns(const std::vector<std::int64_t>& turns);
    void put_balances(const std::vector<BalanceChange>& balances);
    void insert_mark(const LedgerMark& mark);

    Connection& connection_;
    Statement insert_payments_;
    Statement update_payments_;
    Statement insert_references_;
    Statement insert_entries_;
    Statement insert_turns_;
    Statement put_balances_;
    Statement insert_mark_;
    Statement insert_mark_balances_;
};

class OtherWriter {
public:
    explicit OtherWriter(Connection& connection);

    void write_roles(const Changes& changes);  // elections and runs
    void write_rest(const Changes& changes);
    void write(const ClockAnchor& anchor);

private:
    void put_elections(const std::vector<ElectionChange>& elections);
    void put_runs(const std::vector<Run>& runs);
    void insert_answers(const std::vector<NewAnswer>& answers);
    void put_consumers(const std::vector<Consumer>& consumers);
    void forget_consumers(const std::vector<std::string>& names);
    void write(const UpkeepChanges& upkeep);
    void forget_leases(const std::vector<OldLease>& leases);

    Connection& connection_;
    Statement put_elections_;
    Statement put_runs_;
    Statement insert_answers_;
    Statement put_consumers_;
    Statement forget_consumers_;
    Statement set_running_;
    Statement end_hour_;
    Statement forget_hours_;
    Statement forget_answers_;
    Statement forget_names_;
    Statement forget_further_names_;
    Statement forget_further_;
    Statement forget_refusals_;
    Statement forget_leases_;
    Statement keep_clock_;
};

class ChangesWriter {
public:
    // Both outlive it.
    ChangesWriter(Connection& connection, const StoreClock& clock)
        : locks_(connection, clock), money_(connection), other_(connection) {}

    void write(const Changes& changes) {
        locks_.write(changes);
        other_.write_roles(changes);
        money_.write(changes);
        other_.write_rest(changes);
    }
    void write(const ClockAnchor& anchor) { other_.write(anchor); }

private:
    LockWriter locks_;
    MoneyWriter money_;
    OtherWriter other_;
};

}  // namespace fencegate::storage::postgres
