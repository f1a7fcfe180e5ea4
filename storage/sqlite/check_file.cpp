// What SQLite itself finds wrong: in tables and indexes, and in references between rows.
#include "storage/sqlite/file_checks.hpp"
#include "storage/sqlite/ledger_rows.hpp"

namespace fencegate::storage::sqlite {
namespace {

std::int64_t number(Connection& connection, const char* sql) {
    Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? row.integer(0) : 0;
}

}  // namespace

void check_file(Connection& connection, const VerifyOptions& options, Check& check) {
    if (options.on_progress) options.on_progress({"file", 0, 0});
    check.look(number(connection, "PRAGMA page_count"));
    Statement whole(connection, "PRAGMA integrity_check(100)");
    auto row = whole.query();
    while (row.next()) {
        if (row.text(0) != "ok") check.fault(std::string(row.text(0)));
    }
}

void check_foreign_keys(Connection& connection, Check& check) {
    check.look(count_entries(connection) + number(connection,
                                                  "SELECT (SELECT count(*) FROM "
                                                  "payment_references) + (SELECT count(*) FROM "
                                                  "mark_balances)"));
    Statement missing(connection, "PRAGMA foreign_key_check");
    auto row = missing.query();
    while (row.next())
        check.fault(std::string(row.text(0)) + " " + nth("row", row.integer(1)) +
                    " refers to no row of " + std::string(row.text(2)));
}

}  // namespace fencegate::storage::sqlite
