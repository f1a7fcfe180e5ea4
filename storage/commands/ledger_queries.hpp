#pragma once
// LedgerQueries: accounts, entries and statements. Writes nothing.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/unit/batch.hpp"

namespace fencegate::storage {

class LedgerQueries {
public:
    explicit LedgerQueries(Tables& tables) : tables_(tables) {}

    [[nodiscard]] Answer read(const ReadAccounts& read);
    [[nodiscard]] Answer read(const ListEntries& list);
    // One page of a statement. Looks at kStatementRows entries, however few of them it returns.
    [[nodiscard]] Answer read(const ReadStatement& read);

private:
    [[nodiscard]] Answer of_payment(const ListEntries& list);
    [[nodiscard]] StatementPage begin_statement(const ReadStatement& read);
    int take_step(const ReadStatement& read, StatementStep& step, int limit, StatementPage& page);

    Tables& tables_;
};

inline constexpr int kStatementRows = 512;

}  // namespace fencegate::storage
