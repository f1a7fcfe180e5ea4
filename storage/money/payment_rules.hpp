#pragma once
// Which movements a payment allows: pure functions from a payment and a request to the payment
// after it and the transfers that book it. The store writes both or neither.
// Invariant: the transfers of a change account exactly for the difference it makes.
// Thread rule: pure functions.
// Source: the life cycle of PaymentIntents with manual capture; partial capture releases the rest.

#include "base/result.hpp"
#include "storage/money/payment.hpp"

#include <optional>
#include <vector>

namespace fencegate::storage {

struct PaymentChange {
    Payment after;
    std::vector<Transfer> transfers;
};

// A new payment: its whole amount authorized, and captured at once if `capture`.
// REQUIRES: `payment.authorized_minor` is in 1..kAmountMinorMax and nothing is captured or
// refunded.
[[nodiscard]] PaymentChange decide_create(Payment payment, bool capture);

// `amount` absent means the rest. What a partial capture leaves is released at once.
// Fails with: InvalidArgument, PaymentNotCapturable, CaptureExceedsAuthorized.
[[nodiscard]] Result<PaymentChange> decide_capture(const Payment& payment,
                                                   std::optional<std::int64_t> amount_minor);

// Fails with: InvalidArgument, PaymentNotRefundable, RefundExceedsCaptured.
[[nodiscard]] Result<PaymentChange> decide_refund(const Payment& payment,
                                                  std::optional<std::int64_t> amount_minor);

// Fails with: PaymentNotCancellable once anything was captured.
[[nodiscard]] Result<PaymentChange> decide_cancel(const Payment& payment);

// Nobody captured in time: as a cancel, under another name.
// Fails with: PaymentNotCancellable once anything was captured.
[[nodiscard]] Result<PaymentChange> decide_expire(const Payment& payment);

}  // namespace fencegate::storage
