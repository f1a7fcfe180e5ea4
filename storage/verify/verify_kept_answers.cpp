// The answers that are kept, in the order they were given, which is that of what they tell of: each
// beside its key and its effect. A success is a movement of money (maybe of before version 3), a
// lease, or something that moves no money and is passed over: nothing else in the store tells of
// it.
#include "storage/documents/payment_documents.hpp"
#include "storage/model/idempotency.hpp"
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace fencegate::storage {
namespace {

constexpr std::int64_t kEntriesPerMovement = 2;
constexpr std::array<std::string_view, 5> kMoneyOperations{"", "create", "capture", "refund",
                                                           "cancel"};

// It would be passed over by everything that looks at money.
bool is_hidden_money(const KeptAnswer& answer) {
    const bool is_of_money =
        answer.is_refusal ||
        std::ranges::find(kMoneyOperations, answer.operation) != kMoneyOperations.end();
    return is_of_money && !answer.is_of_money && !answer.is_grant;
}

// A call is repeated under its key, and found by nothing else; a refusal is told again by its name.
// Returns the first answer that names an entry.
std::optional<std::int64_t> check_readable(RowsToVerify& rows, Checks& checks) {
    std::optional<std::int64_t> first_of_entry;
    auto answers = rows.answers();
    while (const auto* answer = answers.next()) {
        const auto which = [&] { return nth("answer", answer->id); };
        checks.answers.expect(answer->digest == key_digest(answer->principal, answer->key),
                              [&] { return which() + " is not found by its key"; });
        checks.answers.expect(!is_hidden_money(*answer),
                              [&] { return which() + " is of money and kept as something else"; });
        if (answer->version != 0 && !first_of_entry) first_of_entry = answer->id;
        if (!answer->is_refusal) continue;
        checks.answers.expect(answer->refusal.has_value(),
                              [&] { return which() + " is a refusal that no rule makes"; });
    }
    return first_of_entry;
}

bool is_its_own(const KeptAnswer& answer, const ToldEntry& entry) {
    return entry.payment_id == answer.resource_id && entry.principal == answer.principal &&
           entry.key == answer.key && entry.token == answer.token &&
           answer.version - entry.movement < kEntriesPerMovement &&
           entry.next_movement != entry.movement;
}

void check_writes(RowsToVerify& rows, Checks& checks) {
    auto answers = rows.answers_of_entries();
    while (const auto* answer = answers.next()) {
        checks.answers.expect(answer->entry && is_its_own(*answer, *answer->entry), [&] {
            return nth("answer", answer->id) + " tells of " + nth("entry", answer->version) +
                   ", which is not its own";
        });
    }
}

// Whether those words may be of that entry, which has no key.
bool may_tell(std::string_view body, const ToldAnswer& answer, const PaymentEntry& entry) {
    if (entry.has_key || entry.principal != answer.principal || entry.token != answer.token)
        return false;
    const auto tells = [&](const std::string& member) {
        return body.find(member) != std::string_view::npos;
    };
    const bool is_refund = entry.kind == TransferKind::Refund;
    const bool has_amount =
        entry.kind != TransferKind::Capture && entry.kind != TransferKind::Release;
    return tells("\"id\":\"" + (is_refund ? refund_id(entry.public_id) : entry.payment_id) +
                 "\",") &&
           (!has_amount || tells("\"amount\":" + std::to_string(entry.amount_minor) + ","));
}

bool tells_of_its_payment(RowsToVerify& rows, const ToldAnswer& answer) {
    const auto body = std::string_view(answer.body).substr(0, answer.body.find(R"(,"metadata":)"));
    auto chain = rows.chain_of(answer.payment_id);
    while (const auto* entry = chain.next()) {
        if (may_tell(body, answer, *entry)) return true;
    }
    return false;
}

// A success that names no entry and has a body was given before version 3, whose entries have no
// keys: of one of them, and before any answer that names its entry.
void check_carried_over(RowsToVerify& rows, std::optional<std::int64_t> first_of_entry,
                        Checks& checks) {
    auto answers = rows.told_of_no_entry();
    while (const auto* answer = answers.next()) {
        const bool is_of_before = !first_of_entry || answer->id <= *first_of_entry;
        checks.answers.expect(is_of_before && tells_of_its_payment(rows, *answer), [&] {
            return nth("answer", answer->id) + " tells of an effect that there is not";
        });
    }
}

// The lease may be gone before the answer.
bool is_forgotten(const KeptAnswer& answer, const StoreFacts& facts) {
    return !answer.lease && answer.token && *answer.token <= facts.forgotten;
}

// A grant or a renewal is kept as the token of its lease.
void check_grant(const KeptAnswer& answer, const StoreFacts& facts, Check& check) {
    const bool is_its_own = answer.lease && answer.lease->principal == answer.principal;
    check.expect(is_forgotten(answer, facts) || is_its_own, [&] {
        return nth("answer", answer.id) + " grants " + nth("token", answer.token.value_or(0)) +
               ", which no lease of its principal has";
    });
}

// Who was told that its write ended the lease will not end it again.
void check_released(const KeptAnswer& answer, const StoreFacts& facts, Check& check) {
    const bool is_write = !answer.is_refusal && !answer.is_grant;
    const bool is_released = answer.lease && answer.lease->state == lockmgr::LeaseState::Released;
    check.expect(is_write && (is_forgotten(answer, facts) || is_released), [&] {
        return nth("answer", answer.id) + " says that its write released " +
               nth("token", answer.token.value_or(0)) + ", which was not released";
    });
}

// Both in one pass; what is told of grants comes first.
void check_leases_told(RowsToVerify& rows, const StoreFacts& facts, Checks& checks) {
    auto released = checks.answers.part();
    auto answers = rows.answers_of_leases();
    while (const auto* answer = answers.next()) {
        if (answer->is_grant) check_grant(*answer, facts, checks.answers);
        if (answer->is_released) check_released(*answer, facts, released);
    }
    checks.answers.add(released);
}

}  // namespace

void check_kept_answers(RowsToVerify& rows, const StoreFacts& facts, Checks& checks) {
    const auto first_of_entry = check_readable(rows, checks);
    check_writes(rows, checks);
    check_carried_over(rows, first_of_entry, checks);
    check_leases_told(rows, facts, checks);
}

}  // namespace fencegate::storage
