// What each command about payments must do: key, fence, rule of the business, in this order.
#include "tests/simulation/judge.hpp"
#include "tests/simulation/trace.hpp"

namespace fencegate::simulation {
namespace {

using Kind = storage::MovePayment::Kind;

std::optional<ErrorCode> capture(HeldPayment& payment, std::optional<std::int64_t> amount) {
    if (payment.state != HeldPayment::State::Authorized) return ErrorCode::PaymentNotCapturable;
    if (amount.value_or(0) > payment.authorized) return ErrorCode::CaptureExceedsAuthorized;
    payment.state = HeldPayment::State::Captured;
    payment.captured = amount.value_or(payment.authorized);
    return std::nullopt;
}

std::optional<ErrorCode> refund(HeldPayment& payment, std::optional<std::int64_t> amount) {
    if (payment.state != HeldPayment::State::Captured) return ErrorCode::PaymentNotRefundable;
    const auto rest = payment.captured - payment.refunded;
    if (!amount && rest == 0) return ErrorCode::PaymentNotRefundable;
    if (amount.value_or(0) > rest) return ErrorCode::RefundExceedsCaptured;
    payment.refunded += amount.value_or(rest);
    return std::nullopt;
}

std::optional<ErrorCode> cancel(HeldPayment& payment) {
    if (payment.state != HeldPayment::State::Authorized) return ErrorCode::PaymentNotCancellable;
    payment.state = HeldPayment::State::Cancelled;
    return std::nullopt;
}

// Changes the payment unless it is refused.
std::optional<ErrorCode> apply(HeldPayment& payment, const storage::MovePayment& move) {
    const bool is_amount_bad = move.amount_minor && *move.amount_minor <= 0;
    if (is_amount_bad && move.kind != Kind::Cancel) return ErrorCode::InvalidArgument;
    switch (move.kind) {
        case Kind::Capture: return capture(payment, move.amount_minor);
        case Kind::Refund: return refund(payment, move.amount_minor);
        case Kind::Cancel: return cancel(payment);
    }
    return std::nullopt;
}

std::optional<std::int64_t> value_of(const lockmgr::PresentedToken& token) {
    if (!token) return std::nullopt;
    return token->value();
}

}  // namespace

void Judge::decide(const Request& request, const storage::CreatePayment& create) {
    const auto& command = request.command;
    if (is_answered_by_key(request, create.idempotency)) return;
    const bool is_fenced = create.token != lockmgr::kNoToken;
    if (is_fenced && is_fenced_out(request, create.token, nullptr)) return;
    const auto token = value_of(create.token);
    if (timeline_.payments.contains(create.id)) {
        const auto told = left_.find(request.ticket);
        remember(command, create.idempotency, ErrorCode::PaymentExists,
                 told == left_.end() ? nullptr : &told->second, token);
        return expect_refusal(request, ErrorCode::PaymentExists, Rule::Money);
    }
    const auto* answer = expect_success(request.ticket, command, Rule::Answer);
    timeline_.payments[create.id] = {
        .state = create.capture ? HeldPayment::State::Captured : HeldPayment::State::Authorized,
        .authorized = create.amount_minor,
        .captured = create.capture ? create.amount_minor : 0,
        .refunded = 0};
    timeline_.transfers += create.capture ? 2 : 1;
    remember(command, create.idempotency, std::nullopt, answer, token);
}

void Judge::decide(const Request& request, const storage::MovePayment& move) {
    const auto& command = request.command;
    if (is_answered_by_key(request, move.idempotency)) return;
    const auto lock = "payments/" + move.payment_id;
    if (is_fenced_out(request, move.token, &lock)) return;
    const auto payment = timeline_.payments.find(move.payment_id);
    auto after = payment != timeline_.payments.end() ? payment->second : HeldPayment{};
    const auto refusal = payment != timeline_.payments.end()
                             ? apply(after, move)
                             : std::optional(ErrorCode::PaymentNotFound);
    if (refusal) {
        const auto told = left_.find(request.ticket);
        remember(command, move.idempotency, refusal, told == left_.end() ? nullptr : &told->second,
                 move.token->value());
        return expect_refusal(request, *refusal, Rule::Money);
    }
    const auto* answer = expect_success(request.ticket, command, Rule::Answer);
    const bool is_partial_capture = move.kind == Kind::Capture && after.captured < after.authorized;
    timeline_.transfers += is_partial_capture ? 2 : 1;
    payment->second = after;
    expect_text(answer, command, text_of("\"amount_refunded\":", after.refunded, ","));
    remember(command, move.idempotency, std::nullopt, answer, move.token->value());
}

void Judge::decide(const Request& request, const storage::ReadPayment& read) {
    const auto payment = timeline_.payments.find(read.payment_id);
    if (payment == timeline_.payments.end())
        return expect_refusal(request, ErrorCode::PaymentNotFound, Rule::Answer);
    const auto* answer = expect_success(request.ticket, request.command, Rule::S5Durable);
    expect_text(answer, request.command,
                text_of("\"amount_captured\":", payment->second.captured, ","));
    expect_text(answer, request.command,
                text_of("\"amount_refunded\":", payment->second.refunded, ","));
}

void Judge::decide(const Request& request, const storage::ListRefunds& list) {
    if (!timeline_.payments.contains(list.payment_id))
        return expect_refusal(request, ErrorCode::PaymentNotFound, Rule::Answer);
    expect_success(request.ticket, request.command, Rule::S5Durable);
}

}  // namespace fencegate::simulation
