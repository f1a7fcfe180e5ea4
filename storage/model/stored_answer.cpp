#include "storage/model/stored_answer.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

constexpr ErrorCode kStorableRefusals[] = {
    ErrorCode::PaymentNotFound,       ErrorCode::PaymentExists,
    ErrorCode::PaymentNotCapturable,  ErrorCode::PaymentNotRefundable,
    ErrorCode::PaymentNotCancellable, ErrorCode::CaptureExceedsAuthorized,
    ErrorCode::RefundExceedsCaptured, ErrorCode::InvalidArgument,
    ErrorCode::ReferenceExists,
};

}  // namespace

std::optional<ErrorCode> stored_refusal(std::string_view name) {
    const auto* found = std::ranges::find(kStorableRefusals, name, code_name);
    if (found == std::ranges::end(kStorableRefusals)) return std::nullopt;
    return *found;
}

bool StoredAnswer::is_of(const Idempotency& idempotency) const {
    if (is_foreign) return false;
    return fingerprint == (fingerprint_version == kRawFingerprintVersion
                               ? idempotency.raw_fingerprint
                               : idempotency.fingerprint);
}

}  // namespace fencegate::storage
