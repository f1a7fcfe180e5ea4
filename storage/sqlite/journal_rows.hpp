#pragma once
// Reading the journal: the columns of an entry, in one order for everybody who reads them.
// Thread rule: as its Connection.

#include "storage/money/journal.hpp"
#include "storage/sqlite/connection.hpp"

namespace fencegate::storage::sqlite {

// SELECT this FROM transfers.
inline constexpr const char* kEntryColumns =
    "id, payment_id, kind, debit_account, credit_account, amount, currency, public_id, token, "
    "principal, owner, key, reason, created_at_ms, previous, movement, seal";
inline constexpr int kEntryTokenColumn = 8;

// The entry in a row of those columns, from `first` on. A public id or seal of a wrong size, which
// only a damaged file has, is all zero, and a token out of range none.
[[nodiscard]] JournalEntry entry_of(const Statement::Row& row, int first = 0);

}  // namespace fencegate::storage::sqlite
