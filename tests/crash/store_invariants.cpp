#include "tests/crash/store_invariants.hpp"

#include "storage/sqlite/page_seal_vfs.hpp"

#include <sqlite3.h>

#include <memory>

namespace fencegate::testing {
namespace {

struct Invariant {
    const char* broken_as;
    const char* count_sql;  // of the rows that break it
};

constexpr Invariant kInvariants[] = {
    {"the file is damaged",
     "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"},
    {"a row refers to one that is not there", "SELECT count(*) FROM pragma_foreign_key_check"},
    {"a currency does not add up to zero",
     "SELECT count(*) FROM (SELECT 1 FROM ledger_entries GROUP BY currency HAVING sum(amount) <> "
     "0)"},
    {"more refunded than captured, or captured than authorized",
     "SELECT count(*) FROM payments WHERE NOT (refunded BETWEEN 0 AND captured AND captured <= "
     "authorized)"},
    {"a payment's refunded amount is not the sum of its refunds",
     "SELECT count(*) FROM payments WHERE refunded <> (SELECT coalesce(sum(amount), 0) FROM "
     "transfers WHERE payment_id = payments.id AND kind = 3)"},
    {"a payment's captured amount is not the sum of its captures",
     "SELECT count(*) FROM payments WHERE captured <> (SELECT coalesce(sum(amount), 0) FROM "
     "transfers WHERE payment_id = payments.id AND kind = 1)"},
    {"a token is beyond the counter it came from",
     "SELECT count(*) FROM leases, store WHERE token > epoch * 8796093022208 + sequence"},
    {"two live leases hold one lock",
     "SELECT count(*) FROM (SELECT 1 FROM lease_coverage WHERE state = 0 GROUP BY lock HAVING "
     "count(*) > 1 "
     "AND min(mode) = 0)"},
    {"an exclusive lease is live although a later one of its lock was granted",
     "SELECT count(*) FROM lease_coverage WHERE state = 0 AND mode = 0 AND EXISTS (SELECT 1 FROM "
     "lease_coverage "
     "AS later WHERE later.lock = lease_coverage.lock AND later.token > lease_coverage.token)"},
    {"the chain of a lock does not begin at its newest lease",
     "SELECT count(*) FROM locks WHERE last_token <> (SELECT max(token) FROM lease_coverage WHERE "
     "lock = "
     "name)"},
    {"the chain of a lock leaves a lease out",
     "SELECT count(*) FROM lease_coverage WHERE previous <> coalesce((SELECT max(token) FROM "
     "lease_coverage AS "
     "before WHERE before.lock = lease_coverage.lock AND before.token < lease_coverage.token), 0)"},
    {"a refund's token never held its payment's lock",
     "SELECT count(*) FROM transfers WHERE kind = 3 AND NOT EXISTS (SELECT 1 FROM lease_coverage "
     "WHERE "
     "lease_coverage.token = transfers.token AND mode = 0 AND lock = 'payments/' || payment_id)"},
    {"a refund was written under an older token than one before it",
     "SELECT count(*) FROM (SELECT token < lag(token) OVER (PARTITION BY payment_id ORDER BY id) "
     "AS falls FROM transfers WHERE kind = 3) WHERE falls"},
    {"one idempotency key has two answers",
     "SELECT count(*) FROM (SELECT 1 FROM answers GROUP BY principal, key HAVING count(*) > 1)"},
};

struct CloseDatabase {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

// Empty when the query says that no row breaks the invariant.
std::string judge(sqlite3* database, const Invariant& invariant) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v2(database, invariant.count_sql, -1, &prepared, nullptr);
    const std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement(prepared);
    if (code != SQLITE_OK || sqlite3_step(prepared) != SQLITE_ROW)
        return std::string(invariant.broken_as) + ": cannot tell, " + sqlite3_errmsg(database);
    const auto rows = sqlite3_column_int64(prepared, 0);
    if (rows == 0) return {};
    return std::string(invariant.broken_as) + ": " + std::to_string(rows) + " times";
}

}  // namespace

std::vector<std::string> broken_invariants(const std::filesystem::path& store_db) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(store_db.c_str(), &opened, SQLITE_OPEN_READWRITE,
                                     storage::sqlite::sealing_vfs());
    const std::unique_ptr<sqlite3, CloseDatabase> database(opened);
    if (code != SQLITE_OK) return {"cannot open " + store_db.string()};
    std::vector<std::string> broken;
    for (const auto& invariant : kInvariants) {
        if (auto line = judge(opened, invariant); !line.empty()) broken.push_back(std::move(line));
    }
    return broken;
}

}  // namespace fencegate::testing
