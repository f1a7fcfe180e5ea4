#pragma once
// The JSON of payments and refunds. It is rendered in the store and not at the edge because
// idempotency remembers it: a replay returns the first bytes, whatever version of the program
// answers.
// Thread rule: pure functions.

#include "storage/money/payment.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

[[nodiscard]] std::string payment_document(const Payment& payment);

// A page; a cursor is empty where there is no further page on its side.
[[nodiscard]] std::string payments_document(const std::vector<Payment>& payments,
                                            std::string_view next_cursor,
                                            std::string_view previous_cursor);

// A refund right after it was made: with the totals of its payment.
[[nodiscard]] std::string refund_document(const Refund& refund, const Payment& after);

[[nodiscard]] std::string refunds_document(const std::vector<Refund>& refunds,
                                           const Payment& payment, bool has_more);

// "ref_" and 32 hex digits.
[[nodiscard]] std::string refund_id(const Uuid& id);

}  // namespace fencegate::storage
