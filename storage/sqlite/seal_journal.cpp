// What version 3 brought to the journals of older stores: seals, balances and marks.
#include "storage/sqlite/journal_rows.hpp"
#include "storage/sqlite/ledger_rows.hpp"

namespace fencegate::storage::sqlite {
namespace {

void seal_entries(Connection& connection) {
    const auto select = std::string("SELECT ") + kEntryColumns + " FROM transfers ORDER BY id";
    Statement entries(connection, select.c_str());
    Statement write_seal(connection, "UPDATE transfers SET seal = ? WHERE id = ?");
    Sha256 seal{};
    auto row = entries.query();
    while (row.next()) {
        const auto entry = entry_of(row);
        seal = seal_of(entry, seal);
        write_seal.run(Blob(seal), entry.id);
    }
}

}  // namespace

void seal_journal(Connection& connection) {
    seal_entries(connection);
    connection.exec(
        "INSERT INTO balances (currency, account, debits, credits) "
        "SELECT currency, account, -sum(min(amount, 0)), sum(max(amount, 0)) FROM ledger_entries "
        "GROUP BY currency, account");
}

}  // namespace fencegate::storage::sqlite
