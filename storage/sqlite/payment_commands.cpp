#include "storage/sqlite/payment_commands.hpp"

#include "storage/payment_documents.hpp"
#include "storage/sqlite/fence_guard.hpp"
#include "storage/sqlite/replay.hpp"

namespace fencegate::storage::sqlite {

using lockmgr::LockName;
using lockmgr::PresentedToken;

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

std::optional<std::int64_t> token_value(const PresentedToken& token) {
    if (token.kind != PresentedToken::Kind::Present) return std::nullopt;
    return token.value;
}

}  // namespace

PaymentCommands::PaymentCommands(Tables& tables, const lockmgr::LockClasses& classes,
                                 Random& random)
    : tables_(tables), classes_(classes), random_(random) {}

Answer PaymentCommands::create(Batch& batch, const Command& command, const CreatePayment& create) {
    if (auto again = replay(tables_, batch, command.principal, create.idempotency)) return *again;
    if (create.token.kind != PresentedToken::Kind::Absent) {
        if (auto refused =
                refuse_by_fence(tables_, batch, classes_, command, create.token, nullptr))
            return *refused;
    }
    auto answer = create_new(batch, command, create);
    batch.events.emplace_back(
        PaymentEvent{PaymentEvent::Operation::Create, !answer.error.has_value()});
    remember(tables_, batch, command, create.idempotency, answer, token_value(create.token));
    return answer;
}

Answer PaymentCommands::create_new(Batch& batch, const Command& command,
                                   const CreatePayment& create) {
    if (!create.id.empty() && tables_.payments.find(create.id))
        return refusal({ErrorCode::PaymentExists, "A payment with this id exists.", {}, -1});
    Payment draft;
    draft.id = create.id.empty() ? "pay_" + to_hex(uuid_v7(batch.wall, random_)) : create.id;
    draft.currency = create.currency;
    draft.authorized_minor = create.amount_minor;
    draft.reference = create.reference;
    draft.metadata_json = create.metadata_json;
    draft.created_at = batch.wall;
    auto change = decide_create(std::move(draft), create.capture);
    tables_.payments.insert(change.after);
    for (const auto& transfer : change.transfers) {
        tables_.payments.insert_transfer(change.after, transfer,
                                         {.public_id = uuid_v7(batch.wall, random_),
                                          .token = token_value(create.token),
                                          .principal = command.principal,
                                          .reason = {},
                                          .now = batch.wall});
    }
    tables_.payments.update(change.after);
    Answer answer;
    answer.body = payment_document(change.after);
    answer.resource_id = change.after.id;
    return answer;
}

Answer PaymentCommands::move(Batch& batch, const Command& command, const MovePayment& move) {
    if (auto again = replay(tables_, batch, command.principal, move.idempotency)) return *again;
    const auto lock = LockName::parse("payments/" + move.payment_id);
    if (!lock) return refusal(lock.error());
    if (auto refused = refuse_by_fence(tables_, batch, classes_, command, move.token, &*lock))
        return *refused;
    auto answer = decide_move(batch, command, move);
    batch.events.emplace_back(PaymentEvent{operation_of(move.kind), !answer.error.has_value()});
    remember(tables_, batch, command, move.idempotency, answer, token_value(move.token));
    return answer;
}

Answer PaymentCommands::decide_move(Batch& batch, const Command& command, const MovePayment& move) {
    const auto payment = tables_.payments.find(move.payment_id);
    if (!payment) return refusal(not_found());
    auto change = decide(*payment, move);
    if (!change) return refusal(change.error());
    return apply(batch, command, move, *std::move(change));
}

Answer PaymentCommands::apply(Batch& batch, const Command& command, const MovePayment& move,
                              PaymentChange change) {
    Refund refund;
    for (const auto& transfer : change.transfers) {
        refund.id = uuid_v7(batch.wall, random_);
        tables_.payments.insert_transfer(change.after, transfer,
                                         {.public_id = refund.id,
                                          .token = move.token.value,
                                          .principal = command.principal,
                                          .reason = move.reason,
                                          .now = batch.wall});
    }
    tables_.payments.update(change.after);
    Answer answer;
    answer.resource_id = change.after.id;
    if (move.kind != MovePayment::Kind::Refund) {
        answer.body = payment_document(change.after);
        return answer;
    }
    refund.amount_minor = change.transfers.front().amount_minor;
    refund.reason = move.reason;
    refund.token = move.token.value;
    refund.created_at = batch.wall;
    answer.body = refund_document(refund, change.after);
    return answer;
}

Answer PaymentCommands::read(const ReadPayment& read) {
    const auto payment = tables_.payments.find(read.payment_id);
    if (!payment) return refusal(not_found());
    Answer answer;
    answer.body = payment_document(*payment);
    answer.resource_id = payment->id;
    return answer;
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
    answer.body = refunds_document(*refunds, *payment, has_more);
    return answer;
}

}  // namespace fencegate::storage::sqlite
