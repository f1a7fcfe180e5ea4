// What belongs to no other part: the counters, the clock, leases and their locks, and how a pass
// fails.
#include "storage/sqlite/verify_rows.hpp"

#include "storage/sqlite/ledger_rows.hpp"
#include "storage/sqlite/statement_cursor.hpp"

namespace fencegate::storage::sqlite {
namespace {

using From = Statement::Row;

const char* tokens_in(TokenTable table) noexcept {
    switch (table) {
        case TokenTable::Leases: return "SELECT token, NULL FROM leases";
        case TokenTable::Locks: return "SELECT last_token, NULL FROM locks";
        case TokenTable::Answers: return "SELECT token, NULL FROM answers";
        case TokenTable::Hours: return "SELECT last_token, NULL FROM hours";
        case TokenTable::Refusals: return "SELECT token, current_token FROM refusals";
        case TokenTable::Elections: return "SELECT token, NULL FROM elections";
        case TokenTable::Runs: return "SELECT token, NULL FROM runs";
    }
    return "SELECT 1 WHERE 0";
}

}  // namespace

VerifyRows::VerifyRows(Connection& connection)
    : connection_(connection),
      further_lock_(connection, "SELECT 1 FROM lease_locks WHERE token = ? AND lock = ?") {}

StoreTotals VerifyRows::totals() {
    StoreTotals totals;
    {
        Statement counter(connection_, "SELECT (epoch << 43) + sequence FROM store");
        auto row = counter.query();
        if (row.next()) totals.newest_token = row.integer(0);
    }
    totals.entries = count_entries(connection_);
    return totals;
}

Pass<StoredHour> VerifyRows::hours() {
    return pass_over<StoredHour>(connection_, "SELECT hour, last_token FROM hours ORDER BY hour",
                                 [](const From& from, StoredHour& to) {
                                     to = {from.integer(0), from.integer(1)};
                                 });
}

Pass<StoredTurn> VerifyRows::turns() {
    return pass_over<StoredTurn>(
        connection_,
        "SELECT transfer_id, entry.created_at_ms, (SELECT before.created_at_ms FROM transfers AS "
        "before WHERE before.id < transfer_id ORDER BY before.id DESC LIMIT 1) "
        "FROM clock_turns LEFT JOIN transfers AS entry ON entry.id = transfer_id "
        "ORDER BY transfer_id",
        [](const From& from, StoredTurn& to) {
            to = {from.integer(0), maybe_time_in(from, 1), maybe_time_in(from, 2)};
        });
}

Pass<StoredToken> VerifyRows::tokens(TokenTable table) {
    return pass_over<StoredToken>(connection_, tokens_in(table),
                                  [](const From& from, StoredToken& to) {
                                      to = {number_in(from, 0), number_in(from, 1)};
                                  });
}

Pass<StoredLease> VerifyRows::leases() {
    return pass_over<StoredLease>(
        connection_,
        "SELECT token, granted_at_ms, ended_at_ms, lock_count FROM leases ORDER BY token",
        [](const From& from, StoredLease& to) {
            to = {from.integer(0), time_in(from, 1), maybe_time_in(from, 2), from.integer(3)};
        });
}

Pass<FurtherLock> VerifyRows::further_locks() {
    return pass_over<FurtherLock>(
        connection_, "SELECT token FROM lease_locks ORDER BY token",
        [](const From& from, FurtherLock& to) { to.token = from.integer(0); });
}

Pass<LockLease> VerifyRows::leases_by_lock(std::optional<lockmgr::LockRange> within) {
    std::optional<std::string_view> end;
    if (within) end = within->end;
    return pass_over<LockLease>(
        connection_,
        "SELECT lock, token, state, mode, permits, previous, granted_at_ms FROM leases "
        "WHERE lock >= ?1 AND (?2 IS NULL OR lock < ?2) UNION ALL "
        "SELECT lease_locks.lock, token, state, mode, permits, lease_locks.previous, granted_at_ms "
        "FROM lease_locks JOIN leases USING (token) "
        "WHERE lease_locks.lock >= ?1 AND (?2 IS NULL OR lease_locks.lock < ?2) ORDER BY 1, 2",
        [](const From& from, LockLease& to) {
            to.lock = from.text(0);
            to.token = from.integer(1);
            to.state = static_cast<lockmgr::LeaseState>(from.integer(2));
            to.mode = static_cast<lockmgr::LockMode>(from.integer(3));
            to.permits = from.integer(4);
            to.previous = from.integer(5);
            to.granted_at = time_in(from, 6);
        },
        within ? within->first : std::string_view(), end);
}

Pass<LockHead> VerifyRows::lock_heads() {
    return pass_over<LockHead>(connection_, "SELECT name, last_token FROM locks ORDER BY name",
                               [](const From& from, LockHead& to) {
                                   to.lock = from.text(0);
                                   to.last_token = from.integer(1);
                               });
}

bool VerifyRows::has_further_lock(lockmgr::FencingToken token, const std::string& lock) {
    auto row = further_lock_.query(token, lock);
    return row.next();
}

bool VerifyRows::may_follow(std::int64_t id, std::int64_t before) const {
    return storage::may_follow(id, before);
}

std::optional<std::string> VerifyRows::take_damage() {
    const auto& failure = connection_.failure();
    const bool is_damage = failure && (failure->kind == Failure::Kind::Fatal ||
                                       failure->kind == Failure::Kind::Damaged);
    if (!is_damage) return std::nullopt;
    auto message = failure->message;
    connection_.clear_failure();
    return message;
}

}  // namespace fencegate::storage::sqlite
