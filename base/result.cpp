#include "base/result.hpp"

namespace fencegate {

std::string_view code_name(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::BadRequest: return "bad_request";
        case ErrorCode::InvalidArgument: return "invalid_argument";
        case ErrorCode::InvalidJson: return "invalid_json";
        case ErrorCode::InvalidLockName: return "invalid_lock_name";
        case ErrorCode::Unauthenticated: return "unauthenticated";
        case ErrorCode::Forbidden: return "forbidden";
        case ErrorCode::RouteNotFound: return "not_found";
        case ErrorCode::MethodNotAllowed: return "method_not_allowed";
        case ErrorCode::RequestTimeout: return "request_timeout";
        case ErrorCode::LengthRequired: return "length_required";
        case ErrorCode::BodyTooLarge: return "body_too_large";
        case ErrorCode::UnsupportedMediaType: return "unsupported_media_type";
        case ErrorCode::HeaderTooLarge: return "header_too_large";
        case ErrorCode::FenceTokenRequired: return "fence_token_required";
        case ErrorCode::FenceTokenMalformed: return "fence_token_malformed";
        case ErrorCode::FenceStale:
        case ErrorCode::GoneStale: return "fence_token_stale";
        case ErrorCode::FenceExpired:
        case ErrorCode::GoneExpired: return "lease_expired";
        case ErrorCode::FenceReleased:
        case ErrorCode::GoneReleased: return "lease_released";
        case ErrorCode::FenceBroken:
        case ErrorCode::GoneBroken: return "lease_broken";
        case ErrorCode::FenceTokenUnknown: return "fence_token_unknown";
        case ErrorCode::FenceLockMismatch: return "fence_lock_mismatch";
        case ErrorCode::FenceNotHolder: return "fence_not_holder";
        case ErrorCode::LockHeld: return "lock_held";
        case ErrorCode::LockModeConflict: return "lock_mode_conflict";
        case ErrorCode::QueueFull: return "queue_full";
        case ErrorCode::MaxHoldReached: return "max_hold_reached";
        case ErrorCode::NoProgress: return "no_progress";
        case ErrorCode::LeaseNotFound: return "lease_not_found";
        case ErrorCode::LockNotHeld: return "lock_not_held";
        case ErrorCode::LockClassNotFound: return "lock_class_not_found";
        case ErrorCode::RunNotFound: return "run_not_found";
        case ErrorCode::RunNotDue: return "run_not_due";
        case ErrorCode::RunDone: return "run_done";
        case ErrorCode::RunMissed: return "run_missed";
        case ErrorCode::RunFailed: return "run_failed";
        case ErrorCode::PaymentNotFound: return "payment_not_found";
        case ErrorCode::PaymentExists: return "payment_exists";
        case ErrorCode::ReferenceExists: return "reference_exists";
        case ErrorCode::PaymentChanged: return "payment_changed";
        case ErrorCode::PaymentNotCapturable: return "payment_not_capturable";
        case ErrorCode::PaymentNotRefundable: return "payment_not_refundable";
        case ErrorCode::PaymentNotCancellable: return "payment_not_cancellable";
        case ErrorCode::CaptureExceedsAuthorized: return "capture_exceeds_authorized";
        case ErrorCode::RefundExceedsCaptured: return "refund_exceeds_captured";
        case ErrorCode::ConsumerNotFound: return "consumer_not_found";
        case ErrorCode::IdempotencyKeyRequired: return "idempotency_key_required";
        case ErrorCode::IdempotencyKeyMalformed: return "idempotency_key_malformed";
        case ErrorCode::IdempotencyInFlight: return "idempotency_in_flight";
        case ErrorCode::IdempotencyMismatch: return "idempotency_mismatch";
        case ErrorCode::BackupRunning: return "backup_running";
        case ErrorCode::NotSupported: return "not_supported";
        case ErrorCode::BackupNotFound: return "backup_not_found";
        case ErrorCode::QuotaExceeded: return "quota_exceeded";
        case ErrorCode::Overloaded: return "overloaded";
        case ErrorCode::Draining: return "draining";
        case ErrorCode::StoreFull: return "store_full";
        case ErrorCode::StoreDamaged: return "store_damaged";
        case ErrorCode::OutcomeUnknown: return "outcome_unknown";
        case ErrorCode::StoreFailed: return "store_failed";
        case ErrorCode::Internal: return "internal_error";
    }
    return "internal_error";
}

}  // namespace fencegate
