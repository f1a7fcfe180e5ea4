#include "proxy/telemetry/metrics.hpp"

#include "base/check.hpp"
#include "proxy/telemetry/metric_series.hpp"
#include "proxy/telemetry/process_metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <sstream>
#include <utility>

namespace fencegate::proxy {
namespace {

double in_seconds(std::chrono::nanoseconds span) noexcept {
    return std::chrono::duration<double>(std::max(span, std::chrono::nanoseconds::zero())).count();
}

}  // namespace

struct Metrics::Series {
    explicit Series(const MetricsOptions& options)
        : listeners{ListenerSeries(registry, Listener::Public, options.routes),
                    ListenerSeries(registry, Listener::Admin, options.routes)},
          oldest_waiter_since(options.lock_classes.size()),
          store(registry, options.store_backend),
          gateway(registry, options) {
        classes.reserve(options.lock_classes.size());
        for (const auto& name : options.lock_classes) classes.emplace_back(registry, name);
    }

    [[nodiscard]] ClassSeries& of(ClassId id) noexcept {
        return classes[std::min(id, classes.size() - 1)];
    }

    prometheus::Registry registry;  // owns every child the members below point to
    ProcessMetrics process;
    std::array<ListenerSeries, kListeners.size()> listeners;
    std::vector<ClassSeries> classes;
    std::vector<std::atomic<std::int64_t>> oldest_waiter_since;  // ns since boot; 0: nobody waits
    StoreSeries store;
    GatewaySeries gateway;
};

Metrics::Metrics(const MetricsOptions& options) {
    FG_CHECK(!options.lock_classes.empty() && options.lock_classes.back() == "other");
    FG_CHECK(!options.routes.empty() && options.routes.front().name == "unmatched");
    series_ = std::make_unique<Series>(options);
}

Metrics::~Metrics() = default;

void Metrics::http_request(Listener listener, RouteId route, int status, Span elapsed) noexcept {
    const auto& series = series_->listeners[index_of(listener)].route(route);
    series.requests[column_of(status)]->Increment();
    series.duration.Observe(in_seconds(elapsed));
}

void Metrics::http_connections(Listener listener, int delta) noexcept {
    series_->listeners[index_of(listener)].connections.Increment(delta);
}

void Metrics::http_connection_refused(Listener listener) noexcept {
    series_->listeners[index_of(listener)].refused.Increment();
}

void Metrics::http_unauthenticated(Listener listener, NoPrincipal why) noexcept {
    series_->listeners[index_of(listener)].unauthenticated[index_of(why)]->Increment();
}

void Metrics::http_statements(std::size_t being_written) noexcept {
    series_->gateway.statements.Set(static_cast<double>(being_written));
}

void Metrics::access_log_lost(std::uint64_t lines_so_far) noexcept {
    auto& lost = series_->gateway.access_log_lost;
    lost.Increment(static_cast<double>(lines_so_far) - lost.Value());
}

void Metrics::limits(const LimitsInForce& limits) noexcept {
    const auto set = [](prometheus::Gauge& gauge, std::size_t limit) {
        gauge.Set(static_cast<double>(limit));
    };
    set(series_->listeners[index_of(Listener::Public)].connections_max, limits.connections);
    set(series_->listeners[index_of(Listener::Admin)].connections_max, limits.admin_connections);
    set(series_->store.queue_depth_max, limits.commands);
    set(series_->gateway.waiters_max, limits.waiters);
    set(series_->gateway.watchers_max, limits.watchers);
    set(series_->gateway.statements_max, limits.statements);
    series_->gateway.wait_max.Set(in_seconds(limits.wait));
}

void Metrics::tls_handshake(bool ok) noexcept {
    series_->gateway.handshakes[ok ? 0 : 1]->Increment();
}

void Metrics::watchers(int delta) noexcept { series_->gateway.watchers.Increment(delta); }

void Metrics::watch_ended(WatchEnd reason) noexcept {
    series_->gateway.watch_ended[index_of(reason)]->Increment();
}

void Metrics::tls_certificate_not_after(WallTime time) noexcept {
    const std::chrono::duration<double> since_epoch = time.time_since_epoch();
    series_->gateway.certificate_not_after.Set(since_epoch.count());
}

void Metrics::acquire(ClassId id, AcquireOutcome outcome) noexcept {
    series_->of(id).acquire[index_of(outcome)]->Increment();
}

void Metrics::acquire_wait(ClassId id, AcquireOutcome outcome, Span waited) noexcept {
    const auto column = outcome == AcquireOutcome::Granted ? 0U : 1U;
    series_->of(id).wait[column]->Observe(in_seconds(waited));
}

void Metrics::locks_held(ClassId id, std::size_t count) noexcept {
    series_->of(id).held.Set(static_cast<double>(count));
}

void Metrics::lock_waiters(ClassId id, std::size_t count) noexcept {
    series_->of(id).waiters.Set(static_cast<double>(count));
}

void Metrics::oldest_waiter_since(ClassId id, std::optional<BootTime> since) noexcept {
    auto& slots = series_->oldest_waiter_since;
    slots[std::min(id, slots.size() - 1)].store(since ? since->time_since_epoch().count() : 0,
                                                std::memory_order_relaxed);
}

void Metrics::lock_holds(ClassId id, const HoldSpans& spans) noexcept {
    auto& series = series_->of(id);
    series.oldest_hold.Set(in_seconds(spans.oldest));
    series.in_the_way_silent.Set(in_seconds(spans.in_the_way_silent));
    series.in_the_way_held.Set(in_seconds(spans.in_the_way_held));
}

void Metrics::lock_alert_after(ClassId id, Span silent, Span held) noexcept {
    series_->of(id).silent_max.Set(in_seconds(silent));
    series_->of(id).held_max.Set(in_seconds(held));
}

void Metrics::lock_deadlocks(std::size_t count) noexcept {
    series_->store.deadlocks.Set(static_cast<double>(count));
}

void Metrics::lease_renewed(ClassId id) noexcept { series_->of(id).renewed.Increment(); }

void Metrics::lease_ended(ClassId id, lockmgr::LeaseEnding ending, Span held,
                          Span remaining) noexcept {
    auto& series = series_->of(id);
    series.ended[index_of(ending)]->Increment();
    series.hold[index_of(ending)]->Observe(in_seconds(held));
    if (ending == lockmgr::LeaseEnding::Released) series.remaining.Observe(in_seconds(remaining));
}

void Metrics::lease_share_left(ClassId id, ShareAt at, double share) noexcept {
    series_->of(id).share_left[index_of(at)]->Observe(share);
}

void Metrics::lease_late_return(ClassId id, LateReturn what, Span late) noexcept {
    series_->of(id).late_return[index_of(what)]->Observe(in_seconds(late));
}

void Metrics::lock_class_ttl(ClassId id, Span ttl) noexcept {
    series_->of(id).ttl.Set(in_seconds(ttl));
}

void Metrics::lease_expiry_lag(Span lag) noexcept {
    series_->store.expiry_lag.Observe(in_seconds(lag));
}

void Metrics::fence_check(ClassId id, FenceResult result) noexcept {
    series_->of(id).fence_checks[index_of(result)]->Increment();
}

void Metrics::fence_stale_age(ClassId id, Span age) noexcept {
    series_->of(id).stale_age.Observe(in_seconds(age));
}

void Metrics::idempotency(IdempotencyResult result) noexcept {
    series_->gateway.idempotency[index_of(result)]->Increment();
}

void Metrics::payment(PaymentOperation operation, PaymentResult result) noexcept {
    series_->gateway.payments[index_of(operation)][index_of(result)]->Increment();
}

void Metrics::store_commit(Span elapsed, std::size_t batch_size) noexcept {
    series_->store.commit.Observe(in_seconds(elapsed));
    series_->store.batch_size.Observe(static_cast<double>(batch_size));
}

void Metrics::store_checkpoint(Span elapsed) noexcept {
    series_->store.checkpoint.Observe(in_seconds(elapsed));
}

void Metrics::store_queue_depth(std::size_t commands) noexcept {
    series_->store.queue_depth.Set(static_cast<double>(commands));
}

void Metrics::store_commit_running(Span elapsed) noexcept {
    series_->store.commit_running.Set(in_seconds(elapsed));
}

void Metrics::store_wal_bytes(std::uint64_t bytes) noexcept {
    series_->store.wal_bytes.Set(static_cast<double>(bytes));
}

void Metrics::journal_transfers(std::int64_t count) noexcept {
    series_->store.journal_transfers.Set(static_cast<double>(count));
}

void Metrics::store_swept(std::size_t answers, std::size_t leases) noexcept {
    series_->store.swept[0]->Increment(static_cast<double>(answers));
    series_->store.swept[1]->Increment(static_cast<double>(leases));
}

void Metrics::store_backed_up(WallTime begun) noexcept {
    series_->store.backups[0]->Increment();
    store_has_backup(begun);
}

void Metrics::store_has_backup(WallTime begun) noexcept {
    series_->store.last_backup.Set(in_seconds(begun.time_since_epoch()));
}

void Metrics::store_backup_failed() noexcept { series_->store.backups[1]->Increment(); }

void Metrics::store_error(StoreErrorKind kind) noexcept {
    series_->store.errors[index_of(kind)]->Increment();
}

void Metrics::store_verified(VerifyResult result, WallTime when) noexcept {
    series_->store.last_verification[index_of(result)]->Set(in_seconds(when.time_since_epoch()));
}

void Metrics::store_epoch(std::int64_t epoch) noexcept {
    series_->store.epoch.Set(static_cast<double>(epoch));
}

void Metrics::store_room(const StoreRoom& room) noexcept {
    series_->store.file_bytes.Set(static_cast<double>(room.file));
    series_->store.free_bytes.Set(static_cast<double>(room.free));
    series_->store.disk_bytes.Set(static_cast<double>(room.disk));
}

void Metrics::clock_believed(Duration offset) noexcept {
    series_->store.believed_offset_ms.store(offset.count(), std::memory_order_relaxed);
}

void Metrics::clock_shown(BootTime now, WallTime shown) noexcept {
    const Duration believed(series_->store.believed_offset_ms.load(std::memory_order_relaxed));
    const auto offset = shown.time_since_epoch() - now.time_since_epoch();
    series_->store.clock_offset.Set(in_seconds(offset - believed));
}

void Metrics::clock_jumped() noexcept { series_->store.clock_jumps.Increment(); }

void Metrics::clock_gap(Duration gap) noexcept { series_->store.clock_gap.Set(in_seconds(gap)); }

void Metrics::config_reloaded(bool ok) noexcept {
    series_->gateway.config_ok.Set(ok ? 1 : 0);
    series_->gateway.reloads[ok ? 0 : 1]->Increment();
}

void Metrics::draining(bool is_draining) noexcept {
    series_->gateway.draining.Set(is_draining ? 1 : 0);
}

std::string Metrics::serialize(BootTime now) {
    for (std::size_t at = 0; at < series_->classes.size(); ++at) {
        const auto since = series_->oldest_waiter_since[at].load(std::memory_order_relaxed);
        const auto age = since == 0 ? Span::zero() : now.time_since_epoch() - Span(since);
        series_->classes[at].oldest_waiter.Set(in_seconds(age));
    }
    auto families = series_->registry.Collect();
    std::ranges::move(series_->process.Collect(), std::back_inserter(families));
    std::ostringstream text;
    prometheus::TextSerializer{}.Serialize(text, families);
    return std::move(text).str();
}

}  // namespace fencegate::proxy
