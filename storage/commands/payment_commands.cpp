#include "storage/commands/payment_commands.hpp"

#include "lockmgr/guards.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/documents/payment_documents.hpp"
#include "storage/model/operation.hpp"
#include "storage/money/payment_rules.hpp"

#include <algorithm>

namespace fencegate::storage {

using lockmgr::LockName;

namespace {

Error not_found() { return {ErrorCode::PaymentNotFound, "No payment has this id.", {}, -1}; }

PaymentEvent::Operation operation_of(MovePayment::Kind kind) {
    switch (kind) {
        case MovePayment::Kind::Capture: return PaymentEvent::Operation::Capture;
        case MovePayment::Kind::Refund: return PaymentEvent::Operation::Refund;
        case MovePayment::Kind::Cancel: return PaymentEvent::Operation::Cancel;
    }
    return PaymentEvent::Operation::Refund;
}

Result<PaymentChange> decide(const Payment& payment, const MovePayment& move) {
    switch (move.kind) {
        case MovePayment::Kind::Capture: return decide_capture(payment, move.amount_minor);
        case MovePayment::Kind::Refund: return decide_refund(payment, move.amount_minor);
        case MovePayment::Kind::Cancel: return decide_cancel(payment);
    }
    return fail(ErrorCode::Internal, "unreachable kind of movement");
}

Answer answer_with(const Payment& payment) {
    Answer answer;
    answer.body = payment_document(payment);
    answer.resource_id = payment.id;
    answer.version = payment.last_transfer;
    return answer;
}

bool is_version_meant(const Payment& payment, const MovePayment& move) {
    return !move.if_version ||
           std::ranges::find(*move.if_version, payment.last_transfer) != move.if_version->end();
}

// Never stored under the key: with the version of now, the same call may pass.
Answer changed(const Payment& payment) {
    return refusal({ErrorCode::PaymentChanged,
                    "The payment is not at the version that If-Match names. Nothing was changed. "
                    "Read it, decide again, and repeat the call with its ETag.",
                    {{"current_version", payment.last_transfer}},
                    -1});
}

std::optional<Answer> refuse_new(Unit& unit, const CreatePayment& create,
                                 const std::string& principal) {
    if (!create.id.empty() && unit.payments.find(create.id))
        return refusal({ErrorCode::PaymentExists, "A payment with this id exists.", {}, -1});
    if (!create.reference.empty()) {
        if (const auto taken = unit.payments.find_reference(create.reference, principal))
            return refusal({ErrorCode::ReferenceExists,
                            "The payment " + *taken + " has this reference.",
                            {},
                            -1});
    }
    if (!unit.ledger.has_room(create.currency, create.amount_minor))
        return refusal({ErrorCode::InvalidArgument,
                        "All amounts of this currency together must stay below 2^63 minor units.",
                        {},
                        -1});
    return std::nullopt;
}

Answer create_new(Unit& unit, const CreatePayment& create, const std::string& principal,
                  const Authorship& author) {
    if (auto refused = refuse_new(unit, create, principal)) return *refused;
    Payment payment;
    payment.id = create.id.empty() ? "pay_" + to_hex(uuid_v7(unit.wall, unit.random)) : create.id;
    payment.currency = create.currency;
    payment.authorized_minor = create.amount_minor;
    payment.reference = create.reference;
    payment.metadata_json = create.metadata_json;
    payment.created_at = unit.ledger.booking_time(unit.wall);
    payment.authorized_hour = unit.hour;
    auto change = decide_create(std::move(payment), create.capture);
    if (!create.reference.empty()) unit.payments.insert_reference(change.after, principal);
    unit.ledger.book(change.after, change.transfers, author, unit.random);
    unit.payments.insert(change.after);
    return answer_with(change.after);
}

Answer make_move(Unit& unit, const Payment& payment, const MovePayment& move,
                 const Authorship& author) {
    auto change = decide(payment, move);
    if (!change) return refusal(change.error());
    const auto booked = unit.ledger.book(change->after, change->transfers, author, unit.random);
    unit.payments.update(change->after);
    auto answer = answer_with(change->after);
    if (move.kind == MovePayment::Kind::Refund)
        answer.body = refund_document({.transfer_id = change->after.last_transfer,
                                       .id = booked.id,
                                       .amount_minor = change->transfers.front().amount_minor,
                                       .reason = move.reason,
                                       .token = *move.token,
                                       .created_at = booked.at},
                                      change->after);
    return answer;
}

}  // namespace

Answer carry_out(Unit& unit, const Command& command, const CreatePayment& create) {
    std::string owner;
    if (create.token != lockmgr::kNoToken) {
        const auto lease = pass_fence(unit, command, create.token, nullptr);
        if (!lease) return lease.error();
        owner = (*lease)->owner;
    }
    auto answer = create_new(unit, create, command.principal,
                             {.token = presented_token(command.operation),
                              .principal = command.principal,
                              .owner = owner,
                              .key = create.idempotency.key,
                              .reason = {},
                              .now = unit.wall});
    unit.events.emplace_back(
        PaymentEvent{PaymentEvent::Operation::Create, !answer.error.has_value()});
    return answer;
}

Answer carry_out(Unit& unit, const Command& command, const MovePayment& move) {
    const auto lock = lockmgr::payment_lock(move.payment_id);
    const auto lease = pass_fence(unit, command, move.token, &lock);
    if (!lease) return lease.error();
    const auto* payment = unit.payments.find(move.payment_id);
    if (payment != nullptr && !is_version_meant(*payment, move)) return changed(*payment);
    const Authorship author{.token = *move.token,
                            .principal = command.principal,
                            .owner = (*lease)->owner,
                            .key = move.idempotency.key,
                            .reason = move.reason,
                            .now = unit.wall};
    auto answer =
        payment != nullptr ? make_move(unit, *payment, move, author) : refusal(not_found());
    unit.events.emplace_back(PaymentEvent{operation_of(move.kind), !answer.error.has_value()});
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const ReadPayment& read) {
    const auto* payment = unit.payments.find(read.payment_id);
    if (payment == nullptr) return refusal(not_found());
    return answer_with(*payment);
}

Answer carry_out(Unit& unit, const Command&, const ListRefunds& list) {
    const auto* payment = unit.payments.find(list.payment_id);
    if (payment == nullptr) return refusal(not_found());
    // One more than asked for tells whether there is another page.
    auto refunds = unit.flushed().payments.refunds(*payment, list.before, list.limit + 1);
    if (!refunds)
        return refusal({ErrorCode::InvalidArgument,
                        "cursor must be the next_cursor of an earlier page of these refunds.",
                        {},
                        -1});
    const bool has_more = refunds->size() > static_cast<std::size_t>(list.limit);
    if (has_more) refunds->pop_back();
    Answer answer;
    if (has_more) answer.next_cursor = std::to_string(refunds->back().transfer_id);
    answer.body = refunds_document(*refunds, *payment, has_more);
    return answer;
}

}  // namespace fencegate::storage
