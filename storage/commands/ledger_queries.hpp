#pragma once
// Accounts, entries and statements. Writes nothing.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadAccounts& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ListEntries& list);
// One page of a statement. Looks at kStatementRows entries, however few of them it returns.
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadStatement& read);

inline constexpr int kStatementRows = 512;

}  // namespace fencegate::storage
