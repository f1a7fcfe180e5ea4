#include "proxy/http/problem.hpp"

#include "base/json_writer.hpp"

namespace fencegate::proxy {

ProblemKind problem_kind(ErrorCode code) noexcept {
    using enum ErrorCode;
    switch (code) {
        case ErrorCode::BadRequest: return {400, "Bad request", false};
        case ErrorCode::InvalidArgument: return {400, "Invalid argument", false};
        case ErrorCode::InvalidJson: return {400, "Invalid JSON", false};
        case ErrorCode::InvalidLockName: return {400, "Invalid lock name", false};
        case ErrorCode::Unauthenticated: return {401, "Unauthenticated", false};
        case ErrorCode::Forbidden: return {403, "Forbidden", false};
        case ErrorCode::RouteNotFound: return {404, "Not found", false};
        case ErrorCode::MethodNotAllowed: return {405, "Method not allowed", false};
        case ErrorCode::RequestTimeout: return {408, "Request timeout", true};
        case ErrorCode::LengthRequired: return {411, "Length required", false};
        case ErrorCode::BodyTooLarge: return {413, "Body too large", false};
        case ErrorCode::UnsupportedMediaType: return {415, "Unsupported media type", false};
        case ErrorCode::HeaderTooLarge: return {431, "Header too large", false};
        case ErrorCode::FenceTokenRequired: return {428, "Fence token required", false};
        case ErrorCode::FenceTokenMalformed: return {400, "Fence token malformed", false};
        case ErrorCode::FenceStale: return {412, "Fence token stale", false};
        case ErrorCode::FenceExpired: return {412, "Lease expired", false};
        case ErrorCode::FenceReleased: return {412, "Lease released", false};
        case ErrorCode::FenceBroken: return {412, "Lease broken", false};
        case ErrorCode::FenceTokenUnknown: return {412, "Fence token unknown", false};
        case ErrorCode::FenceLockMismatch: return {412, "Fence covers another lock", false};
        case ErrorCode::FenceNotHolder: return {403, "Not the holder", false};
        case ErrorCode::LockHeld: return {423, "Lock held", true};
        case ErrorCode::LockModeConflict: return {409, "Lock used in another mode", false};
        case ErrorCode::MaxHoldReached: return {409, "Held for as long as allowed", false};
        case ErrorCode::NoProgress: return {409, "No progress", false};
        case ErrorCode::RunNotFound: return {404, "Run not found", false};
        case ErrorCode::RunNotDue: return {409, "Run not due", true};
        case ErrorCode::RunDone: return {409, "Run done", false};
        case ErrorCode::RunMissed: return {409, "Run missed", false};
        case ErrorCode::RunFailed: return {409, "Run failed", false};
        case ErrorCode::QueueFull: return {429, "Too many waiters", true};
        case ErrorCode::LeaseNotFound: return {404, "Lease not found", false};
        case ErrorCode::LockNotHeld: return {404, "Lock not held", false};
        case ErrorCode::LockClassNotFound: return {404, "Lock class not found", false};
        case ErrorCode::GoneStale: return {410, "Lease superseded", false};
        case ErrorCode::GoneExpired: return {410, "Lease expired", false};
        case ErrorCode::GoneReleased: return {410, "Lease released", false};
        case ErrorCode::GoneBroken: return {410, "Lease broken", false};
        case ErrorCode::PaymentNotFound: return {404, "Payment not found", false};
        case ErrorCode::PaymentExists: return {409, "Payment exists", false};
        case ErrorCode::ReferenceExists: return {409, "Reference exists", false};
        case ErrorCode::PaymentChanged: return {412, "Payment changed", false};
        case ErrorCode::PaymentNotCapturable: return {422, "Payment not capturable", false};
        case ErrorCode::PaymentNotRefundable: return {422, "Payment not refundable", false};
        case ErrorCode::PaymentNotCancellable: return {422, "Payment not cancellable", false};
        case CaptureExceedsAuthorized: return {422, "Capture exceeds what is authorized", false};
        case RefundExceedsCaptured: return {422, "Refund exceeds what is captured", false};
        case ErrorCode::ConsumerNotFound: return {404, "Consumer not found", false};
        case ErrorCode::IdempotencyKeyRequired: return {400, "Idempotency key required", false};
        case ErrorCode::IdempotencyKeyMalformed: return {400, "Idempotency key malformed", false};
        case ErrorCode::IdempotencyInFlight: return {409, "Same key in flight", true};
        case ErrorCode::IdempotencyMismatch: return {422, "Idempotency key reused", false};
        case ErrorCode::BackupRunning: return {409, "Backup running", true};
        case ErrorCode::NotSupported: return {501, "Not supported", false};
        case ErrorCode::BackupNotFound: return {404, "Backup not found", false};
        case ErrorCode::QuotaExceeded: return {429, "Quota exceeded", true};
        case ErrorCode::Overloaded: return {503, "Overloaded", true};
        case ErrorCode::Draining: return {503, "Draining", true};
        case ErrorCode::StoreFull: return {507, "Store full", true};
        case ErrorCode::StoreDamaged: return {500, "Store damaged", false};
        case ErrorCode::OutcomeUnknown: return {503, "Outcome unknown", true};
        case ErrorCode::StoreFailed: return {503, "Store failed", true};
        case ErrorCode::Internal: return {500, "Internal error", true};
    }
    return {500, "Internal error", true};
}

std::string problem_document(const Error& error, std::string_view request_id) {
    const auto kind = problem_kind(error.code);
    const auto code = code_name(error.code);
    std::string out;
    out.reserve(384);
    JsonWriter json(out);
    json.begin_object()
        .member("type", "urn:fencegate:problem:" + std::string(code))
        .member("title", kind.title)
        .member("status", std::int64_t{kind.status})
        .member("detail", error.detail)
        .member("code", code)
        .member("request_id", request_id)
        .member_bool("retryable", kind.is_retryable);
    for (const auto& [name, value] : error.members) {
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            json.member(name, *number);
        } else {
            json.member(name, std::get<std::string>(value));
        }
    }
    json.end_object();
    return out;
}

}  // namespace fencegate::proxy
