// The gateway without its metrics, to measure what they cost: an object of the executable wins over
// the archives' members, so Metrics, StoreMetrics, HotLocks, HoldAges, LastWrites and
// LeaseStatistics are replaced as a whole by what remembers nothing. Everything else is the
// product. What stays and is not measured by the difference: the events that the store tells, a
// look at the deadline for each accepted write and renewal, two clock reads a request.
#include "proxy/telemetry/hold_ages.hpp"
#include "proxy/telemetry/hot_locks.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "proxy/telemetry/store_metrics.hpp"
#include "storage/batch/last_writes.hpp"
#include "storage/unit/lease_statistics.hpp"

namespace fencegate {

namespace proxy {

struct Metrics::Series {};

Metrics::Metrics(const MetricsOptions&) {}
Metrics::~Metrics() = default;
void Metrics::http_request(Listener, RouteId, int, Span) noexcept {}
void Metrics::http_connections(Listener, int) noexcept {}
void Metrics::http_connection_refused(Listener) noexcept {}
void Metrics::http_unauthenticated(Listener, NoPrincipal) noexcept {}
void Metrics::http_statements(std::size_t) noexcept {}
void Metrics::access_log_lost(std::uint64_t) noexcept {}
void Metrics::limits(const LimitsInForce&) noexcept {}
void Metrics::tls_handshake(bool) noexcept {}
void Metrics::watchers(int) noexcept {}
void Metrics::watch_ended(WatchEnd) noexcept {}
void Metrics::tls_certificate_not_after(WallTime) noexcept {}
void Metrics::acquire(ClassId, AcquireOutcome) noexcept {}
void Metrics::acquire_wait(ClassId, AcquireOutcome, Span) noexcept {}
void Metrics::locks_held(ClassId, std::size_t) noexcept {}
void Metrics::lock_waiters(ClassId, std::size_t) noexcept {}
void Metrics::oldest_waiter_since(ClassId, std::optional<BootTime>) noexcept {}
void Metrics::lock_holds(ClassId, const HoldSpans&) noexcept {}
void Metrics::lock_alert_after(ClassId, Span, Span) noexcept {}
void Metrics::lock_deadlocks(std::size_t) noexcept {}
void Metrics::lease_renewed(ClassId) noexcept {}
void Metrics::lease_ended(ClassId, lockmgr::LeaseEnding, Span, Span) noexcept {}
void Metrics::lease_share_left(ClassId, ShareAt, double) noexcept {}
void Metrics::lease_late_return(ClassId, LateReturn, Span) noexcept {}
void Metrics::lock_class_ttl(ClassId, Span) noexcept {}
void Metrics::lease_expiry_lag(Span) noexcept {}
void Metrics::fence_check(ClassId, FenceResult) noexcept {}
void Metrics::fence_stale_age(ClassId, Span) noexcept {}
void Metrics::idempotency(IdempotencyResult) noexcept {}
void Metrics::payment(PaymentOperation, PaymentResult) noexcept {}
void Metrics::store_commit(Span, std::size_t) noexcept {}
void Metrics::store_checkpoint(Span) noexcept {}
void Metrics::store_queue_depth(std::size_t) noexcept {}
void Metrics::store_commit_running(Span) noexcept {}
void Metrics::store_wal_bytes(std::uint64_t) noexcept {}
void Metrics::store_swept(std::size_t, std::size_t) noexcept {}
void Metrics::journal_transfers(std::int64_t) noexcept {}
void Metrics::store_backed_up(WallTime) noexcept {}
void Metrics::store_has_backup(WallTime) noexcept {}
void Metrics::store_backup_failed() noexcept {}
void Metrics::store_error(StoreErrorKind) noexcept {}
void Metrics::store_verified(VerifyResult, WallTime) noexcept {}
void Metrics::store_epoch(std::int64_t) noexcept {}
void Metrics::store_room(const StoreRoom&) noexcept {}
void Metrics::clock_gap(Duration) noexcept {}
void Metrics::clock_believed(Duration) noexcept {}
void Metrics::clock_shown(BootTime, WallTime) noexcept {}
void Metrics::clock_jumped() noexcept {}
void Metrics::config_reloaded(bool) noexcept {}
void Metrics::draining(bool) noexcept {}
std::string Metrics::serialize(BootTime) { return "# measured without metrics\n"; }

void StoreMetrics::on_events(const std::vector<storage::StoreEvent>&) {}
void StoreMetrics::on_levels(std::size_t, const storage::ClassLevels&) {}
void StoreMetrics::on_deadlocks(std::size_t) {}
void StoreMetrics::on_batch(const storage::BatchStats&) {}
void StoreMetrics::on_checkpoint(storage::Seconds) {}
void StoreMetrics::on_error(storage::StoreError) {}
void StoreMetrics::on_clock(Duration) {}
void StoreMetrics::on_clock_jump(const ClockJump&) {}

HotLocks::HotLocks(const Clock& clock) : clock_(clock) {}
void HotLocks::note_contentions(const std::vector<storage::Contention>&) {}
void HotLocks::note_notices(const std::vector<storage::LockNotice>&) {}
std::vector<HeavyHitters::Item> HotLocks::rank(Ranking, std::size_t) const { return {}; }
std::string hot_locks_document(const HotLocks&, std::string_view, std::size_t) { return "{}"; }

HoldAges::HoldAges(const lockmgr::LockClasses& classes, const Clock& clock)
    : classes_(classes), clock_(clock), start_(clock.boot_now()) {}
void HoldAges::note_held(ClassId, std::size_t) {}
void HoldAges::note_contentions(const std::vector<storage::Contention>&) {}
void HoldAges::note_notices(const std::vector<storage::LockNotice>&) {}
std::vector<HoldSpans> HoldAges::look(BootTime) const { return {}; }

}  // namespace proxy

namespace storage {

void LastWrites::complete(std::vector<StoreEvent>&) {}
void LeaseStatistics::note(const std::vector<StoreEvent>&, BootTime) {}
lockmgr::TtlFigures LeaseStatistics::figures(std::size_t, const lockmgr::LockClass&,
                                             BootTime) const {
    return {};
}

}  // namespace storage
}  // namespace fencegate
