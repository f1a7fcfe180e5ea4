#include "storage/commands/payment_commands.hpp"

#include "lockmgr/guards.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/documents/payment_documents.hpp"
#include "storage/model/operation.hpp"

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

}  // namespace

PaymentCommands::PaymentCommands(Tables& tables, const lockmgr::LockClasses& classes,
                                 Random& random)
    : tables_(tables), classes_(classes), random_(random) {}

Answer PaymentCommands::create(Batch& batch, const Command& command, const CreatePayment& create) {
    std::string owner;
    if (create.token != lockmgr::kNoToken) {
        if (auto refused =
                refuse_by_fence(tables_, batch, classes_, command, create.token, nullptr, &owner))
            return *refused;
    }
    auto answer = create_new(batch, create,
                             {.token = presented_token(command.operation),
                              .principal = command.principal,
                              .owner = owner,
                              .key = create.idempotency.key,
                              .reason = {},
                              .now = batch.wall});
    batch.events.emplace_back(
        PaymentEvent{PaymentEvent::Operation::Create, !answer.error.has_value()});
    return answer;
}

Answer PaymentCommands::create_new(Batch& batch, const CreatePayment& create,
                                   const Movement& movement) {
    if (auto refused = refuse_new(create, movement.principal)) return *refused;
    Payment draft;
    draft.id = create.id.empty() ? "pay_" + to_hex(uuid_v7(batch.wall, random_)) : create.id;
    draft.currency = create.currency;
    draft.authorized_minor = create.amount_minor;
    draft.reference = create.reference;
    draft.metadata_json = create.metadata_json;
    draft.created_at = tables_.ledger.booking_time(batch.wall);
    draft.authorized_hour = batch.hour;
    auto change = decide_create(std::move(draft), create.capture);
    tables_.payments.insert(change.after);
    if (!create.reference.empty())
        tables_.payments.insert_reference(change.after, movement.principal);
    tables_.ledger.post(change.after, change.transfers, movement, random_);
    tables_.payments.update(change.after);
    return answer_with(change.after);
}

std::optional<Answer> PaymentCommands::refuse_new(const CreatePayment& create,
                                                  std::string_view principal) {
    if (!create.id.empty() && tables_.payments.find(create.id))
        return refusal({ErrorCode::PaymentExists, "A payment with this id exists.", {}, -1});
    if (!create.reference.empty()) {
        if (const auto taken = tables_.payments.find_reference(create.reference, principal))
            return refusal({ErrorCode::ReferenceExists,
                            "The payment " + *taken + " has this reference.",
                            {},
                            -1});
    }
    if (!tables_.ledger.has_room(create.currency, create.amount_minor))
        return refusal({ErrorCode::InvalidArgument,
                        "All amounts of this currency together must stay below 2^63 minor units.",
                        {},
                        -1});
    return std::nullopt;
}

Answer PaymentCommands::move(Batch& batch, const Command& command, const MovePayment& move) {
    const auto lock = lockmgr::payment_lock(move.payment_id);
    std::string owner;
    if (auto refused =
            refuse_by_fence(tables_, batch, classes_, command, move.token, &lock, &owner))
        return *refused;
    const auto payment = tables_.payments.find(move.payment_id);
    if (payment && !is_version_meant(*payment, move)) return changed(*payment);
    auto answer = payment ? decide_move(*payment, move,
                                        {.token = *move.token,
                                         .principal = command.principal,
                                         .owner = owner,
                                         .key = move.idempotency.key,
                                         .reason = move.reason,
                                         .now = batch.wall})
                          : refusal(not_found());
    batch.events.emplace_back(PaymentEvent{operation_of(move.kind), !answer.error.has_value()});
    return answer;
}

Answer PaymentCommands::decide_move(const Payment& payment, const MovePayment& move,
                                    const Movement& movement) {
    auto change = decide(payment, move);
    if (!change) return refusal(change.error());
    const auto booked = tables_.ledger.post(change->after, change->transfers, movement, random_);
    tables_.payments.update(change->after);
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

Answer PaymentCommands::read(const ReadPayment& read) {
    const auto payment = tables_.payments.find(read.payment_id);
    if (!payment) return refusal(not_found());
    return answer_with(*payment);
}

Answer PaymentCommands::read(const ListRefunds& list) {
    const auto payment = tables_.payments.find(list.payment_id);
    if (!payment) return refusal(not_found());
    // One more than asked for tells whether there is another page.
    auto refunds = tables_.payments.refunds(*payment, list.before, list.limit + 1);
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
