#pragma once
// The series behind Metrics: names, label values, buckets, and one struct of resolved children for
// each thing that is measured. Owns: what exists in the registry. Refuses to own: recording.
// Thread rule: built by one thread; the children may then be used from any.
// Private to proxy/telemetry/metrics.cpp: this is the header that names prometheus types.

#include "proxy/telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fencegate::proxy {

template <class Enum>
constexpr std::size_t index_of(Enum value) noexcept {
    return static_cast<std::size_t>(std::to_underlying(value));
}

// Label values, in the order of their enum. The assertions hold the last enumerator in place.
inline constexpr std::array kListeners{"public", "admin"};
inline constexpr std::array kOutcomes{"granted", "contended", "timeout", "queue_full", "denied"};
inline constexpr std::array kWaitOutcomes{"granted", "timeout"};
inline constexpr std::array kShareAt{"release", "write", "renewal"};
inline constexpr std::array kLateReturns{"release", "renewal"};
inline constexpr std::array kFenceResults{"accepted", "late",      "stale",     "expired",
                                          "released", "broken",    "unknown",   "mismatch",
                                          "missing",  "malformed", "not_holder"};
inline constexpr std::array kIdempotencyResults{"new", "replayed", "in_flight", "mismatch"};
inline constexpr std::array kPaymentOperations{"create", "capture", "refund", "cancel", "expire"};
inline constexpr std::array kSweptKinds{"answers", "leases"};
inline constexpr std::array kBackupResults{"ok", "failed"};
inline constexpr std::array kPaymentResults{"ok", "refused"};
inline constexpr std::array kHandshakeResults{"ok", "failed"};
inline constexpr std::array kReloadResults{"ok", "failed"};
inline constexpr std::array kNoPrincipals{"no_key", "not_bearer", "unknown_key"};
inline constexpr std::array kVerifyResults{"sound", "unsound", "failed"};
inline constexpr std::array kStoreErrors{"full", "constraint", "damaged", "fatal"};
inline constexpr std::array kWatchEnds{"client", "overrun", "slow", "draining"};
static_assert(kListeners.size() == index_of(Listener::Admin) + 1);
static_assert(kOutcomes.size() == index_of(AcquireOutcome::Denied) + 1);
static_assert(kShareAt.size() == index_of(ShareAt::Renewal) + 1);
static_assert(kLateReturns.size() == index_of(LateReturn::Renewal) + 1);
static_assert(kNoPrincipals.size() == index_of(NoPrincipal::UnknownKey) + 1);
static_assert(kVerifyResults.size() == index_of(VerifyResult::Failed) + 1);
static_assert(kStoreErrors.size() == index_of(StoreErrorKind::Fatal) + 1);
static_assert(kFenceResults.size() == index_of(FenceResult::NotHolder) + 1);
static_assert(kIdempotencyResults.size() == index_of(IdempotencyResult::Mismatch) + 1);
static_assert(kPaymentOperations.size() == index_of(PaymentOperation::Expire) + 1);
static_assert(kPaymentResults.size() == index_of(PaymentResult::Refused) + 1);
static_assert(kWatchEnds.size() == index_of(WatchEnd::Draining) + 1);

// Every status the gateway answers with. Another one is counted as "other", the last column.
inline constexpr std::array kStatuses{200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 410,
                                      411, 412, 413, 415, 422, 423, 428, 429, 431, 500, 503, 507};
inline constexpr std::size_t kStatusColumns = kStatuses.size() + 1;
inline constexpr int kStatusMax = 599;

inline constexpr auto kColumnOfStatus = [] {
    std::array<std::uint8_t, kStatusMax + 1> columns{};
    columns.fill(static_cast<std::uint8_t>(kStatuses.size()));
    for (std::size_t column = 0; column < kStatuses.size(); ++column) {
        columns[static_cast<std::size_t>(kStatuses[column])] = static_cast<std::uint8_t>(column);
    }
    return columns;
}();

// The column that counts `status` in RouteSeries::requests.
[[nodiscard]] constexpr std::size_t column_of(int status) noexcept {
    if (status < 0 || status > kStatusMax) return kStatuses.size();
    return kColumnOfStatus[static_cast<std::size_t>(status)];
}

struct RouteSeries {
    RouteSeries(prometheus::Registry& registry, Listener listener, const RouteLabels& labels);

    std::array<prometheus::Counter*, kStatusColumns> requests{};
    prometheus::Histogram& duration;
};

struct ListenerSeries {
    ListenerSeries(prometheus::Registry& registry, Listener listener,
                   std::span<const RouteLabels> table);

    [[nodiscard]] const RouteSeries& route(RouteId id) const noexcept {
        return routes[id < routes.size() ? id : 0];
    }

    prometheus::Gauge& connections;
    prometheus::Gauge& connections_max;
    prometheus::Counter& refused;
    std::array<prometheus::Counter*, kNoPrincipals.size()> unauthenticated;
    std::vector<RouteSeries> routes;  // a row for each RouteId
};

struct ClassSeries {
    ClassSeries(prometheus::Registry& registry, const std::string& name);

    std::array<prometheus::Counter*, kOutcomes.size()> acquire;
    std::array<prometheus::Counter*, kFenceResults.size()> fence_checks;
    std::array<prometheus::Counter*, lockmgr::kLeaseEndings.size()> ended;
    std::array<prometheus::Histogram*, lockmgr::kLeaseEndings.size()> hold{};
    std::array<prometheus::Histogram*, kShareAt.size()> share_left{};
    std::array<prometheus::Histogram*, kLateReturns.size()> late_return{};
    prometheus::Counter& renewed;
    prometheus::Gauge& ttl;
    prometheus::Gauge& held;
    prometheus::Gauge& waiters;
    prometheus::Gauge& oldest_waiter;
    prometheus::Gauge& oldest_hold;
    prometheus::Gauge& in_the_way_silent;
    prometheus::Gauge& in_the_way_held;
    prometheus::Gauge& silent_max;
    prometheus::Gauge& held_max;
    std::array<prometheus::Histogram*, kWaitOutcomes.size()> wait{};
    prometheus::Histogram& remaining;
    prometheus::Histogram& stale_age;
};

struct StoreSeries {
    StoreSeries(prometheus::Registry& registry, const std::string& backend);

    prometheus::Histogram& commit;
    prometheus::Histogram& batch_size;
    prometheus::Histogram& checkpoint;
    prometheus::Gauge& queue_depth;
    prometheus::Gauge& queue_depth_max;
    prometheus::Gauge& commit_running;
    prometheus::Gauge& wal_bytes;
    prometheus::Gauge& journal_transfers;
    prometheus::Gauge& deadlocks;
    std::array<prometheus::Counter*, kSweptKinds.size()> swept;
    std::array<prometheus::Counter*, kBackupResults.size()> backups;
    prometheus::Gauge& last_backup;
    std::array<prometheus::Gauge*, kVerifyResults.size()> last_verification{};
    prometheus::Gauge& epoch;
    prometheus::Gauge& file_bytes;
    prometheus::Gauge& free_bytes;
    prometheus::Gauge& disk_bytes;
    std::array<prometheus::Counter*, kStoreErrors.size()> errors;
    prometheus::Histogram& expiry_lag;
    prometheus::Gauge& clock_offset;
    prometheus::Counter& clock_jumps;
    prometheus::Gauge& clock_gap;
    std::atomic<std::int64_t> believed_offset_ms{0};
};

struct GatewaySeries {
    GatewaySeries(prometheus::Registry& registry, const MetricsOptions& options);

    std::array<prometheus::Counter*, kIdempotencyResults.size()> idempotency;
    std::array<std::array<prometheus::Counter*, kPaymentResults.size()>, kPaymentOperations.size()>
        payments{};
    std::array<prometheus::Counter*, kHandshakeResults.size()> handshakes;
    std::array<prometheus::Counter*, kWatchEnds.size()> watch_ended;
    std::array<prometheus::Counter*, kReloadResults.size()> reloads;
    prometheus::Gauge& watchers;
    prometheus::Gauge& watchers_max;
    prometheus::Gauge& statements;
    prometheus::Gauge& statements_max;
    prometheus::Gauge& waiters_max;
    prometheus::Gauge& wait_max;
    prometheus::Counter& access_log_lost;
    prometheus::Gauge& certificate_not_after;
    prometheus::Gauge& config_ok;
    prometheus::Gauge& draining;
};

}  // namespace fencegate::proxy
