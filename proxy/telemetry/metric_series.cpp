#include "proxy/telemetry/metric_series.hpp"

#include <prometheus/family.h>

namespace fencegate::proxy {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

// Upper bounds of the buckets, in seconds unless said otherwise. An acquire may wait for a minute
// (wait_max), leases last 100 ms to an hour and TTLs are chosen between 10 s and 2 min, so the
// buckets are close there.
constexpr std::array kRequestBounds{.0005, .001, .0025, .005, .01, .025, .05, .1,
                                    .25,   .5,   1.,    2.5,  5.,  10.,  30., 60.};
constexpr std::array kWaitBounds{.001, .0025, .005, .01, .025, .05, .1, .25,
                                 .5,   1.,    2.5,  5.,  10.,  30., 60.};
constexpr std::array kHoldBounds{.001, .0025, .005, .01, .025, .05, .1,   .25,  .5,   1.,   2.5,
                                 5.,   10.,   20.,  30., 45.,  60., 120., 300., 900., 3600.};
constexpr std::array kRemainingBounds{.01, .05, .1,  .25, .5,  1.,   2.5,  5.,
                                      10., 20., 30., 45., 60., 120., 300., 3600.};
constexpr std::array kCommitBounds{.0001, .00025, .0005, .001, .0025, .005, .01, .025,
                                   .05,   .1,     .25,   .5,   1.,    2.5,  5.,  10.};
constexpr std::array kLagBounds{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1., 2.5, 5., 10.};
constexpr std::array kStaleAgeBounds{.01, .1,  .25, .5,   1.,   2.5,   5.,
                                     10., 30., 60., 300., 900., 3600., 86'400.};
constexpr std::array kBatchBounds{1., 2., 4., 8., 16., 32., 64., 128., 256., 512.};  // commands
constexpr std::array kShareBounds{.01, .02, .05, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1.};  // of 1

constexpr auto kInTheWayHelp =
    "Of holders that turned somebody away within 5 minutes, the longest time since one was granted "
    "(not of leaders of elections), or was last heard of by its grant or a renewal.";
constexpr auto kInTheWayMaxHelp =
    "How long a holder may be in the way before an alert; 0: for ever.";

// One child, registered or found again: the registry merges families of one name.
Counter& counter(Registry& registry, const char* name, const char* help, const Labels& labels) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

Gauge& gauge(Registry& registry, const char* name, const char* help, const Labels& labels) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
}

Histogram& histogram(Registry& registry, const char* name, const char* help, const Labels& labels,
                     std::span<const double> bounds) {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    return family.Add(labels, Histogram::BucketBoundaries(bounds.begin(), bounds.end()));
}

// One counter for each value of the label `key`, in the order of `values`.
template <std::size_t N>
std::array<Counter*, N> counters(Registry& registry, const char* name, const char* help,
                                 Labels labels, const char* key,
                                 const std::array<const char*, N>& values) {
    std::array<Counter*, N> children{};
    for (std::size_t at = 0; at < N; ++at) {
        labels[key] = values[at];
        children[at] = &counter(registry, name, help, labels);
    }
    return children;
}

std::string status_label(std::size_t column) {
    return column < kStatuses.size() ? std::to_string(kStatuses[column]) : std::string("other");
}

}  // namespace

RouteSeries::RouteSeries(Registry& registry, Listener listener, const RouteLabels& labels)
    : duration(histogram(registry, "fencegate_http_request_duration_seconds",
                         "Time from a request's first byte until its reply is about to be sent.",
                         {{"listener", kListeners[index_of(listener)]},
                          {"route", std::string(labels.name)},
                          {"method", std::string(labels.method)}},
                         kRequestBounds)) {
    for (std::size_t column = 0; column < kStatusColumns; ++column) {
        requests[column] =
            &counter(registry, "fencegate_http_requests_total", "HTTP requests answered.",
                     {{"listener", kListeners[index_of(listener)]},
                      {"route", std::string(labels.name)},
                      {"method", std::string(labels.method)},
                      {"status", status_label(column)}});
    }
}

ListenerSeries::ListenerSeries(Registry& registry, Listener listener,
                               std::span<const RouteLabels> table)
    : connections(gauge(registry, "fencegate_http_connections", "Open client connections.",
                        {{"listener", kListeners[index_of(listener)]}})),
      connections_max(gauge(registry, "fencegate_http_connections_max",
                            "Client connections that may be open at once.",
                            {{"listener", kListeners[index_of(listener)]}})),
      refused(counter(registry, "fencegate_http_connections_refused_total",
                      "Connections closed at once, because as many as may were open.",
                      {{"listener", kListeners[index_of(listener)]}})),
      unauthenticated(counters(registry, "fencegate_http_unauthenticated_total",
                               "Requests answered 401, by what was wrong with their key.",
                               {{"listener", kListeners[index_of(listener)]}}, "reason",
                               kNoPrincipals)) {
    routes.reserve(table.size());
    for (const auto& labels : table) {
        const bool is_served = routes.empty() || labels.listener == listener;
        // A route of the other listener shares the series of "unmatched", the first.
        routes.push_back(is_served ? RouteSeries(registry, listener, labels) : routes.front());
    }
}

ClassSeries::ClassSeries(Registry& registry, const std::string& name)
    : acquire(counters(registry, "fencegate_lock_acquire_total",
                       "Acquire requests decided, by outcome.", {{"class", name}}, "outcome",
                       kOutcomes)),
      fence_checks(counters(registry, "fencegate_fence_checks_total",
                            "Fencing tokens checked against the live lease, by result.",
                            {{"class", name}}, "result", kFenceResults)),
      ended{&counter(registry, "fencegate_lease_released_total", "Leases their holder released.",
                     {{"class", name}}),
            &counter(registry, "fencegate_lease_expired_total", "Leases whose TTL ran out.",
                     {{"class", name}}),
            &counter(registry, "fencegate_lease_broken_total", "Leases an admin force-released.",
                     {{"class", name}})},
      renewed(
          counter(registry, "fencegate_lease_renewed_total", "Leases renewed.", {{"class", name}})),
      ttl(gauge(registry, "fencegate_lock_class_ttl_seconds",
                "TTL that a lease gets if it asks for none.", {{"class", name}})),
      held(gauge(registry, "fencegate_locks_held", "Locks held now.", {{"class", name}})),
      waiters(gauge(registry, "fencegate_lock_waiters", "Acquire requests waiting now.",
                    {{"class", name}})),
      oldest_waiter(gauge(registry, "fencegate_lock_oldest_waiter_seconds",
                          "How long the longest waiting acquire request has waited.",
                          {{"class", name}})),
      oldest_hold(gauge(registry, "fencegate_lock_oldest_hold_seconds",
                        "How long the lock that is held longest has been held; of leases from "
                        "before the start, since that.",
                        {{"class", name}})),
      in_the_way_silent(gauge(registry, "fencegate_lock_in_the_way_seconds", kInTheWayHelp,
                              {{"class", name}, {"since", "heard"}})),
      in_the_way_held(gauge(registry, "fencegate_lock_in_the_way_seconds", kInTheWayHelp,
                            {{"class", name}, {"since", "granted"}})),
      silent_max(gauge(registry, "fencegate_lock_in_the_way_max_seconds", kInTheWayMaxHelp,
                       {{"class", name}, {"since", "heard"}})),
      held_max(gauge(registry, "fencegate_lock_in_the_way_max_seconds", kInTheWayMaxHelp,
                     {{"class", name}, {"since", "granted"}})),
      remaining(histogram(registry, "fencegate_lease_remaining_at_release_seconds",
                          "TTL left over when the holder released.", {{"class", name}},
                          kRemainingBounds)),
      stale_age(histogram(registry, "fencegate_fence_stale_age_seconds",
                          "How long ago the lease of a refused, superseded token had ended.",
                          {{"class", name}}, kStaleAgeBounds)) {
    for (std::size_t outcome = 0; outcome < kWaitOutcomes.size(); ++outcome) {
        wait[outcome] =
            &histogram(registry, "fencegate_lock_acquire_wait_seconds",
                       "Time from the acquire request to its decision.",
                       {{"class", name}, {"outcome", kWaitOutcomes[outcome]}}, kWaitBounds);
    }
    for (const auto ending : lockmgr::kLeaseEndings) {
        hold[index_of(ending)] = &histogram(
            registry, "fencegate_lock_hold_seconds", "Time from grant to the end of the lease.",
            {{"class", name}, {"end", std::string(lease_ending_name(ending))}}, kHoldBounds);
    }
    for (std::size_t what = 0; what < kLateReturns.size(); ++what) {
        late_return[what] =
            &histogram(registry, "fencegate_lease_late_return_seconds",
                       "How long after its lease had run out the holder released or renewed it.",
                       {{"class", name}, {"at", kLateReturns[what]}}, kStaleAgeBounds);
    }
    for (std::size_t at = 0; at < kShareAt.size(); ++at) {
        share_left[at] =
            &histogram(registry, "fencegate_lease_remaining_ratio",
                       "Share of its TTL a lease had left: at its release, at its last accepted "
                       "write (told when it ends), when a renewal came.",
                       {{"class", name}, {"at", kShareAt[at]}}, kShareBounds);
    }
}

StoreSeries::StoreSeries(Registry& registry, const std::string& backend)
    : commit(histogram(registry, "fencegate_store_commit_seconds",
                       "Time of one commit, its sync to disk included.", {{"backend", backend}},
                       kCommitBounds)),
      batch_size(histogram(registry, "fencegate_store_batch_size",
                           "Commands that shared one commit.", {}, kBatchBounds)),
      checkpoint(histogram(registry, "fencegate_store_checkpoint_seconds",
                           "Time of one checkpoint of the write-ahead log.", {}, kLagBounds)),
      queue_depth(gauge(registry, "fencegate_store_queue_depth",
                        "Commands waiting for the store, those of the running batch included.",
                        {})),
      queue_depth_max(gauge(registry, "fencegate_store_queue_depth_max",
                            "Commands that may wait for the store; 503 beyond.", {})),
      commit_running(gauge(registry, "fencegate_store_commit_running_seconds",
                           "How long the batch that runs now has taken; 0: none runs.", {})),
      wal_bytes(gauge(registry, "fencegate_store_wal_bytes", "Size of the write-ahead log.", {})),
      journal_transfers(gauge(registry, "fencegate_journal_transfers",
                              "Entries of the payments' journal. It never shrinks.", {})),
      deadlocks(gauge(registry, "fencegate_lock_deadlocks",
                      "Circles of waiters that wait for each other.", {})),
      swept(counters(registry, "fencegate_store_swept_total",
                     "Rows deleted because their retention was over.", {}, "kind", kSweptKinds)),
      backups(counters(registry, "fencegate_store_backups_total", "Backups that ended.", {},
                       "result", kBackupResults)),
      last_backup(gauge(registry, "fencegate_store_last_backup_timestamp_seconds",
                        "When the newest backup that is done was begun; 0: there is none.", {})),
      epoch(gauge(registry, "fencegate_store_epoch",
                  "Epoch of the store's tokens, as of the start. A restore raises it.", {})),
      file_bytes(gauge(registry, "fencegate_store_file_bytes",
                       "Size of the store's file, without its log.", {})),
      free_bytes(gauge(registry, "fencegate_store_disk_free_bytes",
                       "Free room on the disk of the store, for the gateway.", {})),
      disk_bytes(gauge(registry, "fencegate_store_disk_bytes",
                       "Size of the disk that the store is on.", {})),
      errors(counters(registry, "fencegate_store_errors_total",
                      "Failures of the store: no room, a constraint that no rule explains, or a "
                      "disk that cannot be trusted.",
                      {}, "kind", kStoreErrors)),
      expiry_lag(histogram(registry, "fencegate_lease_expiry_lag_seconds",
                           "Time from a lease's deadline to its expiry in the store.", {},
                           kLagBounds)),
      clock_offset(gauge(registry, "fencegate_clock_offset_seconds",
                         "How far the wall clock is ahead of the time that the store goes by.",
                         {})),
      clock_jumps(counter(registry, "fencegate_clock_jumps_total",
                          "Times the wall clock was set while the boot clock went on.", {})),
      clock_gap(gauge(registry, "fencegate_clock_gap_seconds",
                      "How far the wall clock was ahead of the last time known, at a start after "
                      "the machine's, if more than 30 days; else 0.",
                      {})) {
    for (std::size_t result = 0; result < kVerifyResults.size(); ++result) {
        last_verification[result] =
            &gauge(registry, "fencegate_store_last_verification_timestamp_seconds",
                   "When the store was last verified while serving with this result; 0: not since "
                   "the start.",
                   {{"result", kVerifyResults[result]}});
    }
}

GatewaySeries::GatewaySeries(Registry& registry, const MetricsOptions& options)
    : idempotency(counters(registry, "fencegate_idempotency_total",
                           "Idempotency keys looked up, by result.", {}, "result",
                           kIdempotencyResults)),
      handshakes(counters(registry, "fencegate_tls_handshakes_total", "TLS handshakes finished.",
                          {}, "result", kHandshakeResults)),
      watch_ended(counters(registry, "fencegate_watch_ended_total", "Event streams that ended.", {},
                           "reason", kWatchEnds)),
      reloads(counters(registry, "fencegate_config_reloads_total",
                       "Times the configuration was read again.", {}, "result", kReloadResults)),
      watchers(gauge(registry, "fencegate_watchers", "Clients that follow events now.", {})),
      watchers_max(gauge(registry, "fencegate_watchers_max",
                         "Clients that may follow events at once; 503 beyond.", {})),
      statements(
          gauge(registry, "fencegate_statements", "Statements that are being written now.", {})),
      statements_max(gauge(registry, "fencegate_statements_max",
                           "Statements that may be written at once; 503 beyond.", {})),
      waiters_max(gauge(registry, "fencegate_lock_waiters_max",
                        "Acquire requests that may wait at once, over all classes; 429 beyond.",
                        {})),
      wait_max(gauge(registry, "fencegate_lock_wait_max_seconds",
                     "The longest wait that a client may ask for.", {})),
      access_log_lost(counter(registry, "fencegate_access_log_lines_lost_total",
                              "Lines of the access log that nobody took, or no disk.", {})),
      certificate_not_after(gauge(registry, "fencegate_tls_certificate_not_after_timestamp_seconds",
                                  "When the served certificate ends.", {})),
      config_ok(gauge(registry, "fencegate_config_last_reload_successful",
                      "1 if the configuration was last read without an error.", {})),
      draining(gauge(registry, "fencegate_draining", "1 while the gateway shuts down.", {})) {
    for (std::size_t at = 0; at < kPaymentOperations.size(); ++at) {
        payments[at] = counters(registry, "fencegate_payments_total",
                                "Payment commands decided by the business rules.",
                                {{"operation", kPaymentOperations[at]}}, "result", kPaymentResults);
    }
    gauge(registry, "fencegate_build_info",
          "The running version and the libraries that it found; always 1.",
          {{"version", options.version},
           {"sqlite", options.sqlite_version},
           {"openssl", options.openssl_version}})
        .Set(1);
    config_ok.Set(1);
}

}  // namespace fencegate::proxy
