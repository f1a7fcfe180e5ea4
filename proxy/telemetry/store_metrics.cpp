#include "proxy/telemetry/store_metrics.hpp"

namespace fencegate::proxy {
namespace {

using lockmgr::FenceVerdict;
using lockmgr::LeaseEnding;
using storage::AcquireEvent;
using storage::FenceEvent;
using storage::IdempotencyEvent;
using storage::LateReturnEvent;
using storage::LeaseEndEvent;
using storage::PaymentEvent;

Metrics::Span span(storage::Seconds seconds) {
    return std::chrono::duration_cast<Metrics::Span>(seconds);
}

AcquireOutcome outcome_of(AcquireEvent::Outcome outcome) {
    switch (outcome) {
        case AcquireEvent::Outcome::Granted: return AcquireOutcome::Granted;
        case AcquireEvent::Outcome::Contended: return AcquireOutcome::Contended;
        case AcquireEvent::Outcome::Timeout: return AcquireOutcome::Timeout;
        case AcquireEvent::Outcome::QueueFull: return AcquireOutcome::QueueFull;
        case AcquireEvent::Outcome::Denied: return AcquireOutcome::Denied;
    }
    return AcquireOutcome::Denied;
}

FenceResult result_of(FenceVerdict verdict) {
    switch (verdict) {
        case FenceVerdict::Accepted: return FenceResult::Accepted;
        case FenceVerdict::AcceptedLate: return FenceResult::Late;
        case FenceVerdict::Stale: return FenceResult::Stale;
        case FenceVerdict::Expired: return FenceResult::Expired;
        case FenceVerdict::Released: return FenceResult::Released;
        case FenceVerdict::Broken: return FenceResult::Broken;
        case FenceVerdict::Unknown: return FenceResult::Unknown;
        case FenceVerdict::LockMismatch: return FenceResult::Mismatch;
        case FenceVerdict::NotHolder: return FenceResult::NotHolder;
    }
    return FenceResult::Unknown;
}

FenceResult result_of(const FenceEvent& event) {
    switch (event.extra) {
        case FenceEvent::Extra::None: return result_of(event.verdict);
        case FenceEvent::Extra::Missing: return FenceResult::Missing;
        case FenceEvent::Extra::Malformed: return FenceResult::Malformed;
    }
    return FenceResult::Malformed;
}

IdempotencyResult result_of(IdempotencyEvent::Result result) {
    switch (result) {
        case IdempotencyEvent::Result::New: return IdempotencyResult::New;
        case IdempotencyEvent::Result::Replayed: return IdempotencyResult::Replayed;
        case IdempotencyEvent::Result::InFlight: return IdempotencyResult::InFlight;
        case IdempotencyEvent::Result::Mismatch: return IdempotencyResult::Mismatch;
    }
    return IdempotencyResult::New;
}

StoreErrorKind kind_of(storage::StoreError error) {
    switch (error) {
        case storage::StoreError::Full: return StoreErrorKind::Full;
        case storage::StoreError::Constraint: return StoreErrorKind::Constraint;
        case storage::StoreError::Damaged: return StoreErrorKind::Damaged;
        case storage::StoreError::Fatal: return StoreErrorKind::Fatal;
    }
    return StoreErrorKind::Fatal;
}

PaymentOperation operation_of(PaymentEvent::Operation operation) {
    switch (operation) {
        case PaymentEvent::Operation::Create: return PaymentOperation::Create;
        case PaymentEvent::Operation::Capture: return PaymentOperation::Capture;
        case PaymentEvent::Operation::Refund: return PaymentOperation::Refund;
        case PaymentEvent::Operation::Cancel: return PaymentOperation::Cancel;
        case PaymentEvent::Operation::Expire: return PaymentOperation::Expire;
    }
    return PaymentOperation::Create;
}

}  // namespace

void StoreMetrics::on_events(const std::vector<storage::StoreEvent>& events) {
    for (const auto& event : events) {
        std::visit([this](const auto& what) { count(what); }, event);
    }
}

void StoreMetrics::count(const AcquireEvent& event) {
    const auto outcome = outcome_of(event.outcome);
    metrics_.acquire(event.lock_class, outcome);
    const bool has_waited = event.outcome == AcquireEvent::Outcome::Granted ||
                            event.outcome == AcquireEvent::Outcome::Timeout;
    if (has_waited) metrics_.acquire_wait(event.lock_class, outcome, span(event.waited));
}

void StoreMetrics::count(const storage::RenewEvent& event) {
    metrics_.lease_renewed(event.lock_class);
    metrics_.lease_share_left(event.lock_class, ShareAt::Renewal, event.share_left);
}

void StoreMetrics::count(const LeaseEndEvent& event) {
    metrics_.lease_ended(event.lock_class, event.ending, span(event.held), span(event.remaining));
    if (event.ending == LeaseEnding::Expired) metrics_.lease_expiry_lag(span(event.expiry_lag));
    if (event.ending == LeaseEnding::Released)
        metrics_.lease_share_left(event.lock_class, ShareAt::Release, event.remaining / event.ttl);
    if (event.share_left_at_write)
        metrics_.lease_share_left(event.lock_class, ShareAt::Write, *event.share_left_at_write);
}

void StoreMetrics::count(const LateReturnEvent& event) {
    const bool renewed = event.what == LateReturnEvent::What::Renewal;
    metrics_.lease_late_return(
        event.lock_class, renewed ? LateReturn::Renewal : LateReturn::Release, span(event.late));
}

void StoreMetrics::count(const FenceEvent& event) {
    const auto result = result_of(event);
    metrics_.fence_check(event.lock_class, result);
    if (result == FenceResult::Stale)
        metrics_.fence_stale_age(event.lock_class, span(event.stale_for));
}

void StoreMetrics::count(const IdempotencyEvent& event) {
    metrics_.idempotency(result_of(event.result));
}

void StoreMetrics::count(const PaymentEvent& event) {
    metrics_.payment(operation_of(event.operation),
                     event.is_accepted ? PaymentResult::Ok : PaymentResult::Refused);
}

void StoreMetrics::on_levels(std::size_t lock_class, const storage::ClassLevels& levels) {
    metrics_.locks_held(lock_class, levels.held);
    metrics_.lock_waiters(lock_class, levels.waiting);
    metrics_.oldest_waiter_since(lock_class, levels.oldest_waiter_since);
}

void StoreMetrics::on_deadlocks(std::size_t count) { metrics_.lock_deadlocks(count); }

void StoreMetrics::on_batch(const storage::BatchStats& stats) {
    if (stats.wrote) metrics_.store_commit(span(stats.commit), stats.commands);
    if (stats.swept_answers + stats.swept_leases > 0)
        metrics_.store_swept(stats.swept_answers, stats.swept_leases);
    metrics_.store_wal_bytes(static_cast<std::uint64_t>(stats.wal_bytes));
    metrics_.journal_transfers(stats.journal_entries);
}

void StoreMetrics::on_checkpoint(storage::Seconds took) { metrics_.store_checkpoint(span(took)); }

void StoreMetrics::on_error(storage::StoreError error) { metrics_.store_error(kind_of(error)); }

void StoreMetrics::on_clock(Duration offset) { metrics_.clock_believed(offset); }

void StoreMetrics::on_clock_jump(const ClockJump& jump) {
    if (jump.is_gap) return metrics_.clock_gap(jump.shown - jump.expected);
    if (jump.is_new) metrics_.clock_jumped();
    if (jump.is_believed) metrics_.clock_gap(Duration(0));
}

}  // namespace fencegate::proxy
