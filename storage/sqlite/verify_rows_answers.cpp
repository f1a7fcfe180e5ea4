// Idempotency keys: movements under them, and what was answered.
#include "storage/model/stored_answer.hpp"
#include "storage/sqlite/statement_cursor.hpp"
#include "storage/sqlite/verify_rows.hpp"

namespace fencegate::storage::sqlite {
namespace {

using From = Statement::Row;

#define FG_ANSWER                                                                        \
    "answers.id, answers.principal, answers.key, key_digest, error_code, answers.kind, " \
    "operation, "                                                                        \
    "answers.token, resource_id, version, answers.created_at_ms, released"
constexpr int kAnswerColumns = 12;

void fill_answer(const From& from, KeptAnswer& to) {
    const auto kind = static_cast<AnswerKind>(from.integer(5));
    to.id = from.integer(0);
    to.principal = from.text(1);
    to.key = from.text(2);
    copy_exactly(from.blob(3), to.digest);
    to.is_refusal = !from.is_null(4);
    to.refusal = to.is_refusal ? stored_refusal(from.text(4)) : std::nullopt;
    to.is_of_money = kind == AnswerKind::Money;
    to.is_grant = kind == AnswerKind::Lease;
    to.operation = from.text(6);
    to.token = number_in(from, 7);
    to.resource_id = from.text(8);
    to.version = from.integer(9);
    to.created_at = time_in(from, 10);
    to.is_released = from.integer(11) != 0;
}

void fill_answer_of_entry(const From& from, KeptAnswer& to) {
    fill_answer(from, to);
    if (from.is_null(kAnswerColumns)) return to.entry.reset();
    if (!to.entry) to.entry.emplace();
    to.entry->payment_id = from.text(kAnswerColumns);
    to.entry->principal = from.text(kAnswerColumns + 1);
    to.entry->key = from.text(kAnswerColumns + 2);
    to.entry->token = number_in(from, kAnswerColumns + 3);
    to.entry->movement = from.integer(kAnswerColumns + 4);
    to.entry->next_movement = number_in(from, kAnswerColumns + 5);
}

void fill_answer_of_lease(const From& from, KeptAnswer& to) {
    fill_answer(from, to);
    if (from.is_null(kAnswerColumns)) return to.lease.reset();
    if (!to.lease) to.lease.emplace();
    to.lease->principal = from.text(kAnswerColumns);
    to.lease->state = static_cast<lockmgr::LeaseState>(from.integer(kAnswerColumns + 1));
}

#define FG_TOLD "id, principal, token, resource_id, version, body"

void fill_told(const From& from, ToldAnswer& to) {
    to.id = from.integer(0);
    to.principal = from.text(1);
    to.token = number_in(from, 2);
    to.payment_id = from.text(3);
    to.version = from.integer(4);
    to.body = from.text(5);
}

}  // namespace

Pass<KeyedMovement> VerifyRows::movements_by_key() {
    return pass_over<KeyedMovement>(connection_,
                                    "SELECT principal, key, id, created_at_ms FROM transfers "
                                    "WHERE id = movement AND key <> '' ORDER BY principal, key, id",
                                    [](const From& from, KeyedMovement& to) {
                                        to.principal = from.text(0);
                                        to.key = from.text(1);
                                        to.id = from.integer(2);
                                        to.booked_at = time_in(from, 3);
                                    });
}

Pass<KeyedAnswer> VerifyRows::answers_by_key() {
    return pass_over<KeyedAnswer>(
        connection_,
        "SELECT principal, key, id, error_code IS NOT NULL, version, created_at_ms "
        "FROM answers ORDER BY principal, key, id",
        [](const From& from, KeyedAnswer& to) {
            to.principal = from.text(0);
            to.key = from.text(1);
            to.id = from.integer(2);
            to.is_refusal = from.integer(3) != 0;
            to.version = from.integer(4);
            to.created_at = time_in(from, 5);
        });
}

Pass<KeptAnswer> VerifyRows::answers() {
    return pass_over<KeptAnswer>(connection_, "SELECT " FG_ANSWER " FROM answers ORDER BY id",
                                 fill_answer);
}

Pass<KeptAnswer> VerifyRows::answers_of_entries() {
    return pass_over<KeptAnswer>(
        connection_,
        "SELECT " FG_ANSWER
        ", told.payment_id, told.principal, told.key, told.token, told.movement, "
        "(SELECT next.movement FROM transfers AS next WHERE next.id = told.id + 1) "
        "FROM answers LEFT JOIN transfers AS told ON told.id = version "
        "WHERE error_code IS NULL AND version <> 0 ORDER BY answers.id",
        fill_answer_of_entry);
}

Pass<KeptAnswer> VerifyRows::answers_of_leases() {
    return pass_over<KeptAnswer>(
        connection_,
        "SELECT " FG_ANSWER
        ", leases.principal, leases.state FROM answers LEFT JOIN leases USING (token) "
        "WHERE answers.kind = 1 OR released = 1 ORDER BY answers.id",
        fill_answer_of_lease);
}

Pass<ToldAnswer> VerifyRows::told_by_payment() {
    return pass_over<ToldAnswer>(connection_,
                                 "SELECT " FG_TOLD
                                 " FROM answers WHERE error_code IS NULL AND version <> 0 "
                                 "ORDER BY resource_id, version",
                                 fill_told);
}

Pass<ToldAnswer> VerifyRows::told_of_no_entry() {
    return pass_over<ToldAnswer>(connection_,
                                 "SELECT " FG_TOLD
                                 " FROM answers WHERE error_code IS NULL AND version = 0 "
                                 "AND kind = 0 ORDER BY id",
                                 fill_told);
}

}  // namespace fencegate::storage::sqlite
