#include "storage/money/payment_rules.hpp"

namespace fencegate::storage {
namespace {

// Refusals carry their facts in the detail and no members: they are stored under the idempotency
// key as code and detail, and a replay must read the same.
std::unexpected<Error> exceeds(ErrorCode code, std::string_view what, std::int64_t limit_minor) {
    return fail(code, std::string("The amount is more than what can still be ") +
                          std::string(what) + ": " + std::to_string(limit_minor) + ".");
}

std::unexpected<Error> wrong_state(ErrorCode code, const Payment& payment, std::string_view what) {
    return fail(code, "A payment that is " + std::string(status_name(payment)) + " cannot be " +
                          std::string(what) + ".");
}

// REQUIRES: 0 < amount_minor <= capturable.
PaymentChange captured(const Payment& payment, std::int64_t amount_minor) {
    PaymentChange change{payment, {{TransferKind::Capture, amount_minor}}};
    change.after.state = PaymentState::Captured;
    change.after.captured_minor = amount_minor;
    const auto rest_minor = payment.authorized_minor - amount_minor;
    if (rest_minor > 0) change.transfers.push_back({TransferKind::Release, rest_minor});
    return change;
}

Result<PaymentChange> released(const Payment& payment, PaymentState into) {
    if (payment.state != PaymentState::Authorized)
        return wrong_state(ErrorCode::PaymentNotCancellable, payment, "cancelled");
    PaymentChange change{payment, {{TransferKind::Release, payment.authorized_minor}}};
    change.after.state = into;
    return change;
}

}  // namespace

PaymentChange decide_create(Payment payment, bool capture) {
    const Transfer hold{TransferKind::Authorize, payment.authorized_minor};
    if (!capture) return {std::move(payment), {hold}};
    auto change = captured(payment, payment.authorized_minor);
    change.transfers.insert(change.transfers.begin(), hold);
    return change;
}

Result<PaymentChange> decide_capture(const Payment& payment,
                                     std::optional<std::int64_t> amount_minor) {
    if (amount_minor && *amount_minor <= 0)
        return fail(ErrorCode::InvalidArgument, "amount must be at least 1 minor unit.");
    if (payment.state != PaymentState::Authorized)
        return wrong_state(ErrorCode::PaymentNotCapturable, payment, "captured");
    const auto limit_minor = capturable_minor(payment);
    const auto wanted_minor = amount_minor.value_or(limit_minor);
    if (wanted_minor > limit_minor)
        return exceeds(ErrorCode::CaptureExceedsAuthorized, "captured", limit_minor);
    return captured(payment, wanted_minor);
}

Result<PaymentChange> decide_refund(const Payment& payment,
                                    std::optional<std::int64_t> amount_minor) {
    if (amount_minor && *amount_minor <= 0)
        return fail(ErrorCode::InvalidArgument, "amount must be at least 1 minor unit.");
    if (payment.state != PaymentState::Captured)
        return wrong_state(ErrorCode::PaymentNotRefundable, payment, "refunded");
    const auto limit_minor = refundable_minor(payment);
    if (limit_minor == 0 && !amount_minor)
        return wrong_state(ErrorCode::PaymentNotRefundable, payment, "refunded");
    const auto wanted_minor = amount_minor.value_or(limit_minor);
    if (wanted_minor > limit_minor)
        return exceeds(ErrorCode::RefundExceedsCaptured, "refunded", limit_minor);
    PaymentChange change{payment, {{TransferKind::Refund, wanted_minor}}};
    change.after.refunded_minor += wanted_minor;
    return change;
}

Result<PaymentChange> decide_cancel(const Payment& payment) {
    return released(payment, PaymentState::Cancelled);
}

Result<PaymentChange> decide_expire(const Payment& payment) {
    return released(payment, PaymentState::Expired);
}

}  // namespace fencegate::storage
