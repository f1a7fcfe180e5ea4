// The answers that are kept, in the order they were given, which is that of what they tell of: each
// beside its key and its effect. A success is a movement of money (maybe of before version 3), a
// lease, or something that moves no money and is passed over: nothing else in the store tells of
// it.
#include "storage/model/idempotency.hpp"
#include "storage/model/stored_answer.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <optional>

namespace fencegate::storage {
namespace {

constexpr std::int64_t kEntriesPerMovement = 2;

// A call is repeated under its key, and found by nothing else; a refusal is told again by its name.
void check_readable(sqlite::Connection& connection, Checks& checks) {
    sqlite::Statement answers(
        connection,
        "SELECT id, principal, key, key_digest, error_code, kind = 2 AND (operation "
        "IN ('', 'create', 'capture', 'refund', 'cancel') OR error_code IS NOT NULL) "
        "FROM answers ORDER BY id");
    auto row = answers.query();
    while (row.next()) {
        const auto digest = key_digest(row.text(1), row.text(2));
        checks.answers.expect(std::ranges::equal(row.blob(3), digest), [&] {
            return nth("answer", row.integer(0)) + " is not found by its key";
        });
        // It would be passed over by everything that looks at money.
        checks.answers.expect(row.integer(5) == 0, [&] {
            return nth("answer", row.integer(0)) + " is of money and kept as something else";
        });
        if (row.is_null(4)) continue;
        checks.answers.expect(stored_refusal(row.text(4)).has_value(), [&] {
            return nth("answer", row.integer(0)) + " is a refusal that no rule makes";
        });
    }
}

void check_writes(sqlite::Connection& connection, Checks& checks) {
    sqlite::Statement answers(connection,
                              "SELECT id, principal, key, token, resource_id, version FROM answers "
                              "WHERE error_code IS NULL AND version <> 0 ORDER BY id");
    sqlite::Statement entry(
        connection,
        "SELECT payment_id, principal, key, token, movement, "
        "EXISTS (SELECT 1 FROM transfers AS next WHERE next.id = transfers.id + 1 "
        "AND next.movement = transfers.movement) FROM transfers WHERE id = ?");
    auto row = answers.query();
    while (row.next()) {
        const auto version = row.integer(5);
        auto told = entry.query(version);
        const bool is_there = told.next();
        const bool is_its = is_there && told.text(0) == row.text(4) &&
                            told.text(1) == row.text(1) && told.text(2) == row.text(2) &&
                            told.is_null(3) == row.is_null(3) &&
                            told.integer(3) == row.integer(3) &&
                            version - told.integer(4) < kEntriesPerMovement && told.integer(5) == 0;
        checks.answers.expect(is_its, [&] {
            return nth("answer", row.integer(0)) + " tells of " + nth("entry", version) +
                   ", which is not its own";
        });
    }
}

// A success that names no entry and has a body was given before version 3, whose entries have no
// keys: of one of them, and before any answer that names its entry.
void check_carried_over(sqlite::Connection& connection, Checks& checks) {
    sqlite::Statement answers(connection,
                              "SELECT id, principal, token, resource_id, body, "
                              "coalesce(id > (SELECT min(id) FROM answers WHERE version <> 0), 0) "
                              "FROM answers WHERE error_code IS NULL AND version = 0 AND kind = 0 "
                              "ORDER BY id");
    // UNION, so that a chain that somebody closed to a ring has an end.
    sqlite::Statement entry(
        connection,
        "WITH RECURSIVE chain (id) AS "
        "(SELECT last_transfer FROM payments WHERE id = ?1 UNION "
        "SELECT previous FROM transfers JOIN chain USING (id)) "
        "SELECT 1 FROM chain JOIN transfers USING (id) WHERE key = '' "
        "AND principal = ?2 AND token IS ?3 AND instr(?4, '\"id\":\"' || CASE kind "
        "WHEN 3 THEN 'ref_' || lower(hex(public_id)) ELSE payment_id END || '\",') "
        "AND (kind IN (1, 2) OR instr(?4, '\"amount\":' || amount || ',')) LIMIT 1");
    auto row = answers.query();
    while (row.next()) {
        std::optional<std::int64_t> token;
        if (!row.is_null(2)) token = row.integer(2);
        const auto body = row.text(4);
        auto told = entry.query(row.text(3), row.text(1), token,
                                body.substr(0, body.find(R"(,"metadata":)")));
        checks.answers.expect(row.integer(5) == 0 && told.next(), [&] {
            return nth("answer", row.integer(0)) + " tells of an effect that there is not";
        });
    }
}

// A grant or a renewal is kept as the token of its lease. The lease may be gone before it.
void check_grants(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks) {
    sqlite::Statement grants(
        connection,
        "SELECT answers.id, answers.token, answers.principal = leases.principal "
        "FROM answers LEFT JOIN leases USING (token) WHERE kind = 1 "
        "ORDER BY answers.id");
    auto row = grants.query();
    while (row.next()) {
        const bool is_gone = row.is_null(2) && !row.is_null(1) && row.integer(1) <= facts.forgotten;
        checks.answers.expect(is_gone || row.integer(2) == 1, [&] {
            return nth("answer", row.integer(0)) + " grants " + nth("token", row.integer(1)) +
                   ", which no lease of its principal has";
        });
    }
}

// Who was told that its write ended the lease will not end it again.
void check_released(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks) {
    sqlite::Statement answers(
        connection,
        "SELECT answers.id, answers.token, error_code IS NULL AND kind <> 1, state "
        "FROM answers LEFT JOIN leases USING (token) WHERE released = 1 ORDER BY answers.id");
    auto row = answers.query();
    while (row.next()) {
        const bool is_gone = row.is_null(3) && !row.is_null(1) && row.integer(1) <= facts.forgotten;
        const bool is_released =
            !row.is_null(3) && row.integer(3) == static_cast<int>(lockmgr::LeaseState::Released);
        checks.answers.expect(row.integer(2) == 1 && (is_gone || is_released), [&] {
            return nth("answer", row.integer(0)) + " says that its write released " +
                   nth("token", row.integer(1)) + ", which was not released";
        });
    }
}

}  // namespace

void check_kept_answers(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks) {
    check_readable(connection, checks);
    check_writes(connection, checks);
    check_carried_over(connection, checks);
    check_grants(connection, facts, checks);
    check_released(connection, facts, checks);
}

}  // namespace fencegate::storage
