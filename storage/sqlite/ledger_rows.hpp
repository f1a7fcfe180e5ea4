#pragma once
// LedgerRows: transfers, turns of the clock, balances and marks, one method a statement. What is
// booked is decided in storage/money/ledger.hpp. Thread rule: as its Connection.
// Errors: the Connection's failure(); a method then does nothing.

#include "storage/money/ledger.hpp"
#include "storage/sqlite/connection.hpp"

namespace fencegate::storage::sqlite {

class LedgerRows final : public storage::LedgerReader {
public:
    explicit LedgerRows(Connection& connection);

    [[nodiscard]] LedgerState read() override;
    void write(const LedgerChanges& changes);

private:
    void insert_mark(const LedgerMark& mark);
    [[nodiscard]] LedgerHead read_head();

    Connection& connection_;
    Statement insert_;
    Statement insert_turn_;
    Statement upsert_balance_;
    Statement insert_mark_;
    Statement insert_mark_balance_;
    Statement find_head_;
    Statement find_balances_;
    Statement epoch_;
};

// How many entries there are, without looking at each.
[[nodiscard]] std::int64_t count_entries(Connection& connection);

// Seals every entry and works out the balances: what version 3 brought to older journals. Marks
// begin with what is booked from then on. REQUIRES: a transaction is open.
void seal_journal(Connection& connection);

}  // namespace fencegate::storage::sqlite
