#include "proxy/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::array kRoutes{
    RouteLabels{.name = "unmatched", .method = "any"},
    RouteLabels{.name = "/v1/locks/{name}", .method = "POST"},
    RouteLabels{.name = "/v1/leases/{id}", .method = "GET"},
    RouteLabels{.name = "/v1/leases/{id}", .method = "DELETE"},
    RouteLabels{.name = "/metrics", .method = "GET", .listener = Listener::Admin},
};
constexpr RouteId kAcquireRoute = 1;
constexpr RouteId kScrapeRoute = 4;
constexpr ClassId kPayments = 0;
constexpr BootTime kNow{1000s};

MetricsOptions options() {
    return {.version = "1.2.3", .lock_classes = {"payments", "other"}, .routes = kRoutes};
}

constexpr const char* kZeroAtTheStart[] = {
    R"(fencegate_lock_acquire_total{class="payments",outcome="granted"})",
    R"(fencegate_lock_acquire_total{class="payments",outcome="contended"})",
    R"(fencegate_lock_acquire_total{class="payments",outcome="timeout"})",
    R"(fencegate_lock_acquire_total{class="payments",outcome="queue_full"})",
    R"(fencegate_lock_acquire_total{class="other",outcome="denied"})",
    R"(fencegate_lock_acquire_wait_seconds_count{class="payments"})",
    R"(fencegate_lock_hold_seconds_count{class="payments",end="released"})",
    R"(fencegate_lock_hold_seconds_count{class="payments",end="expired"})",
    R"(fencegate_lock_hold_seconds_count{class="payments",end="broken"})",
    R"(fencegate_locks_held{class="payments"})",
    R"(fencegate_lock_waiters{class="payments"})",
    R"(fencegate_lock_oldest_waiter_seconds{class="payments"})",
    R"(fencegate_lease_renewed_total{class="payments"})",
    R"(fencegate_lease_released_total{class="payments"})",
    R"(fencegate_lease_expired_total{class="payments"})",
    R"(fencegate_lease_broken_total{class="payments"})",
    R"(fencegate_lease_remaining_at_release_seconds_count{class="payments"})",
    R"(fencegate_lease_expiry_lag_seconds_count)",
    R"(fencegate_fence_checks_total{class="payments",result="accepted"})",
    R"(fencegate_fence_checks_total{class="payments",result="late"})",
    R"(fencegate_fence_checks_total{class="payments",result="stale"})",
    R"(fencegate_fence_checks_total{class="payments",result="expired"})",
    R"(fencegate_fence_checks_total{class="payments",result="released"})",
    R"(fencegate_fence_checks_total{class="payments",result="broken"})",
    R"(fencegate_fence_checks_total{class="payments",result="unknown"})",
    R"(fencegate_fence_checks_total{class="payments",result="mismatch"})",
    R"(fencegate_fence_checks_total{class="payments",result="missing"})",
    R"(fencegate_fence_checks_total{class="payments",result="malformed"})",
    R"(fencegate_fence_checks_total{class="payments",result="not_holder"})",
    R"(fencegate_fence_stale_age_seconds_count{class="payments"})",
    R"(fencegate_idempotency_total{result="new"})",
    R"(fencegate_idempotency_total{result="replayed"})",
    R"(fencegate_idempotency_total{result="in_flight"})",
    R"(fencegate_idempotency_total{result="mismatch"})",
    R"(fencegate_payments_total{operation="create",result="ok"})",
    R"(fencegate_payments_total{operation="capture",result="ok"})",
    R"(fencegate_payments_total{operation="refund",result="refused"})",
    R"(fencegate_payments_total{operation="cancel",result="refused"})",
    R"(fencegate_lease_remaining_ratio_count{at="release",class="payments"})",
    R"(fencegate_lease_remaining_ratio_count{at="write",class="payments"})",
    R"(fencegate_lease_remaining_ratio_count{at="renewal",class="other"})",
    R"(fencegate_lock_class_ttl_seconds{class="payments"})",
    R"(fencegate_store_errors_total{kind="full"})",
    R"(fencegate_store_errors_total{kind="constraint"})",
    R"(fencegate_store_errors_total{kind="fatal"})",
    R"(fencegate_config_reloads_total{result="ok"})",
    R"(fencegate_config_reloads_total{result="failed"})",
    R"(fencegate_store_swept_total{kind="answers"})",
    R"(fencegate_store_swept_total{kind="leases"})",
    R"(fencegate_lock_deadlocks)",
    R"(fencegate_store_commit_seconds_count{backend="sqlite"})",
    R"(fencegate_store_batch_size_count)",
    R"(fencegate_store_queue_depth)",
    R"(fencegate_store_wal_bytes)",
    R"(fencegate_store_backups_total{result="ok"})",
    R"(fencegate_store_backups_total{result="failed"})",
    R"(fencegate_store_last_backup_timestamp_seconds)",
    R"(fencegate_store_checkpoint_seconds_count)",
    R"(fencegate_http_connections{listener="public"})",
    R"(fencegate_http_connections{listener="admin"})",
    R"(fencegate_tls_handshakes_total{result="ok"})",
    R"(fencegate_tls_handshakes_total{result="failed"})",
    R"(fencegate_tls_certificate_not_after_timestamp_seconds)",
    R"(fencegate_watchers)",
    R"(fencegate_watch_ended_total{reason="client"})",
    R"(fencegate_watch_ended_total{reason="overrun"})",
    R"(fencegate_watch_ended_total{reason="slow"})",
    R"(fencegate_watch_ended_total{reason="draining"})",
    R"(fencegate_draining)",
};

// The value of one series, as text; empty if it does not exist.
std::string value_of(const std::string& scrape, const std::string& series) {
    const auto line = scrape.find("\n" + series + " ");
    if (line == std::string::npos) return {};
    const auto from = line + series.size() + 2;
    return scrape.substr(from, scrape.find('\n', from) - from);
}

std::ptrdiff_t lines_of(const std::string& text) { return std::ranges::count(text, '\n'); }

TEST(Metrics, TellTheTimeOfTheLastBackupThatIsDone) {
    Metrics metrics(options());

    metrics.store_backed_up(WallTime(std::chrono::seconds(1'700'000'000)));
    metrics.store_backup_failed();

    const auto scrape = metrics.serialize(kNow);
    EXPECT_EQ(value_of(scrape, "fencegate_store_last_backup_timestamp_seconds"), "1700000000");
    EXPECT_EQ(value_of(scrape, R"(fencegate_store_backups_total{result="ok"})"), "1");
    EXPECT_EQ(value_of(scrape, R"(fencegate_store_backups_total{result="failed"})"), "1");
}

TEST(Metrics, EverySeriesOfTheContractExistsAtZeroFromTheStart) {
    Metrics metrics(options());

    const auto scrape = metrics.serialize(kNow);

    for (const char* series : kZeroAtTheStart) {
        EXPECT_EQ(value_of(scrape, series), "0") << series;
    }
    EXPECT_EQ(value_of(scrape, R"(fencegate_build_info{version="1.2.3"})"), "1");
    EXPECT_EQ(value_of(scrape, "fencegate_config_last_reload_successful"), "1");
    EXPECT_FALSE(value_of(scrape, "process_open_fds").empty());
}

TEST(Metrics, EveryRouteHasEveryStatusOnItsOwnListenerOnly) {
    Metrics metrics(options());

    const auto scrape = metrics.serialize(kNow);

    for (const auto& route : kRoutes) {
        const std::string listener = route.listener == Listener::Admin ? "admin" : "public";
        for (const char* status : {"200", "201", "204", "400", "401", "403", "404", "405",
                                   "408", "409", "410", "411", "412", "413", "415", "422",
                                   "423", "428", "429", "431", "500", "503", "507", "other"}) {
            const auto series = "fencegate_http_requests_total{listener=\"" + listener +
                                "\",method=\"" + std::string(route.method) + "\",route=\"" +
                                std::string(route.name) + "\",status=\"" + status + "\"}";
            EXPECT_EQ(value_of(scrape, series), "0") << series;
        }
    }
    EXPECT_EQ(scrape.find(R"({listener="admin",method="POST")"), std::string::npos);
    EXPECT_NE(scrape.find(R"({listener="admin",method="any",route="unmatched")"),
              std::string::npos);
}

TEST(Metrics, PromtoolFindsNothingToComplainAbout) {
    Metrics metrics(options());
    const auto path = testing::TempDir() + "fencegate_promtool_test.prom";
    std::ofstream(path) << metrics.serialize(kNow);

    const int status = std::system(("promtool check metrics < " + path).c_str());

    EXPECT_EQ(status, 0) << "promtool comes with the package prometheus; scripts/test installs it";
}

void expect(const std::string& scrape,
            const std::vector<std::pair<std::string, std::string>>& values) {
    for (const auto& [series, value] : values) EXPECT_EQ(value_of(scrape, series), value) << series;
}

TEST(Metrics, CountsWhatItIsToldOfLocks) {
    Metrics metrics(options());

    metrics.acquire(kPayments, AcquireOutcome::QueueFull);
    metrics.acquire_wait(kPayments, 20ms);
    metrics.locks_held(kPayments, 3);
    metrics.lock_waiters(kPayments, 5);
    metrics.lease_renewed(kPayments);
    metrics.lease_ended(kPayments, HoldEnd::Released, 2s, 28s);
    metrics.lease_ended(kPayments, HoldEnd::Broken, 1s, 9s);
    metrics.lease_share_left(kPayments, ShareAt::Write, .04);
    metrics.lock_class_ttl(kPayments, 30s);
    metrics.lease_expiry_lag(4ms);
    metrics.fence_check(kPayments, FenceResult::NotHolder);
    metrics.fence_stale_age(kPayments, 7s);
    const auto scrape = metrics.serialize(kNow);

    expect(
        scrape,
        {{R"(fencegate_lock_acquire_total{class="payments",outcome="queue_full"})", "1"},
         {R"(fencegate_lock_acquire_wait_seconds_bucket{class="payments",le="0.025"})", "1"},
         {R"(fencegate_lock_acquire_wait_seconds_bucket{class="payments",le="0.01"})", "0"},
         {R"(fencegate_locks_held{class="payments"})", "3"},
         {R"(fencegate_lock_waiters{class="payments"})", "5"},
         {R"(fencegate_lease_renewed_total{class="payments"})", "1"},
         {R"(fencegate_lease_released_total{class="payments"})", "1"},
         {R"(fencegate_lease_broken_total{class="payments"})", "1"},
         {R"(fencegate_lease_expired_total{class="payments"})", "0"},
         {R"(fencegate_lock_hold_seconds_sum{class="payments",end="released"})", "2"},
         {R"(fencegate_lease_remaining_at_release_seconds_sum{class="payments"})", "28"},
         {R"(fencegate_lease_remaining_ratio_bucket{at="write",class="payments",le="0.05"})", "1"},
         {R"(fencegate_lease_remaining_ratio_bucket{at="write",class="payments",le="0.02"})", "0"},
         {R"(fencegate_lock_class_ttl_seconds{class="payments"})", "30"},
         {"fencegate_lease_expiry_lag_seconds_count", "1"},
         {R"(fencegate_fence_checks_total{class="payments",result="not_holder"})", "1"},
         {R"(fencegate_fence_stale_age_seconds_sum{class="payments"})", "7"}});
}

TEST(Metrics, CountsWhatItIsToldOfEverythingElse) {
    Metrics metrics(options());

    metrics.http_request(Listener::Public, kAcquireRoute, 201, 3ms);
    metrics.http_connections(Listener::Public, 2);
    metrics.http_connections(Listener::Public, -1);
    metrics.tls_handshake(false);
    metrics.watchers(3);
    metrics.watchers(-1);
    metrics.watch_ended(WatchEnd::Overrun);
    metrics.tls_certificate_not_after(WallTime(1'800'000'000s));
    metrics.store_error(StoreErrorKind::Constraint);
    metrics.idempotency(IdempotencyResult::Replayed);
    metrics.payment(PaymentOperation::Refund, PaymentResult::Refused);
    metrics.store_commit(900us, 12);
    metrics.store_checkpoint(5ms);
    metrics.store_queue_depth(7);
    metrics.store_wal_bytes(4096);
    metrics.config_reloaded(false);
    metrics.draining(true);
    const auto scrape = metrics.serialize(kNow);

    expect(scrape, {{R"(fencegate_http_requests_total{listener="public",method="POST",)"
                     R"(route="/v1/locks/{name}",status="201"})",
                     "1"},
                    {R"(fencegate_http_request_duration_seconds_bucket{listener="public",)"
                     R"(route="/v1/locks/{name}",le="0.005"})",
                     "1"},
                    {R"(fencegate_http_connections{listener="public"})", "1"},
                    {R"(fencegate_tls_handshakes_total{result="failed"})", "1"},
                    {"fencegate_watchers", "2"},
                    {R"(fencegate_watch_ended_total{reason="overrun"})", "1"},
                    {"fencegate_tls_certificate_not_after_timestamp_seconds", "1800000000"},
                    {R"(fencegate_store_errors_total{kind="constraint"})", "1"},
                    {R"(fencegate_config_reloads_total{result="failed"})", "1"},
                    {R"(fencegate_idempotency_total{result="replayed"})", "1"},
                    {R"(fencegate_payments_total{operation="refund",result="refused"})", "1"},
                    {R"(fencegate_store_commit_seconds_bucket{backend="sqlite",le="0.001"})", "1"},
                    {"fencegate_store_batch_size_sum", "12"},
                    {"fencegate_store_checkpoint_seconds_count", "1"},
                    {"fencegate_store_queue_depth", "7"},
                    {"fencegate_store_wal_bytes", "4096"},
                    {"fencegate_config_last_reload_successful", "0"},
                    {"fencegate_draining", "1"}});
}

TEST(Metrics, TheOldestWaiterAgesBetweenEvents) {
    Metrics metrics(options());
    const std::string series = R"(fencegate_lock_oldest_waiter_seconds{class="payments"})";

    metrics.oldest_waiter_since(kPayments, kNow - 2s);

    EXPECT_EQ(value_of(metrics.serialize(kNow), series), "2");
    EXPECT_EQ(value_of(metrics.serialize(kNow + 30s), series), "32");
    metrics.oldest_waiter_since(kPayments, std::nullopt);
    EXPECT_EQ(value_of(metrics.serialize(kNow + 60s), series), "0");
}

TEST(Metrics, AHundredThousandRecordsAddNoSeries) {
    Metrics metrics(options());
    const auto series_before = lines_of(metrics.serialize(kNow));

    for (int round = 0; round < 100'000; ++round) {
        const auto index = static_cast<std::size_t>(round);
        metrics.http_request(Listener::Public, index, round % 1000 - 100, 1ms);
        metrics.acquire(index, AcquireOutcome::Granted);
    }

    EXPECT_EQ(lines_of(metrics.serialize(kNow)), series_before);
}

TEST(Metrics, WhatNobodyAnnouncedIsCountedUnderOtherAndUnmatched) {
    Metrics metrics(options());

    metrics.http_request(Listener::Public, 999, 404, 1ms);
    metrics.http_request(Listener::Public, kScrapeRoute, 200, 1ms);
    metrics.http_request(Listener::Public, kAcquireRoute, 299, 1ms);
    metrics.acquire(77, AcquireOutcome::Denied);
    const auto scrape = metrics.serialize(kNow);

    const std::string unmatched =
        R"(fencegate_http_requests_total{listener="public",method="any",route="unmatched",status=)";
    EXPECT_EQ(value_of(scrape, unmatched + R"("404"})"), "1");
    EXPECT_EQ(value_of(scrape, unmatched + R"("200"})"), "1");
    EXPECT_EQ(value_of(scrape, R"(fencegate_http_requests_total{listener="public",method="POST",)"
                               R"(route="/v1/locks/{name}",status="other"})"),
              "1");
    EXPECT_EQ(value_of(scrape, R"(fencegate_lock_acquire_total{class="other",outcome="denied"})"),
              "1");
}

TEST(Metrics, RecordingFromManyThreadsLosesNothing) {
    Metrics metrics(options());

    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([&metrics] {
                for (int round = 0; round < 5'000; ++round) {
                    metrics.http_request(Listener::Public, kAcquireRoute, 200, 1ms);
                    if (round % 1'000 == 0) metrics.oldest_waiter_since(kPayments, kNow);
                }
            });
        }
        EXPECT_FALSE(metrics.serialize(kNow).empty());
    }

    EXPECT_EQ(value_of(metrics.serialize(kNow),
                       R"(fencegate_http_requests_total{listener="public",method="POST",)"
                       R"(route="/v1/locks/{name}",status="200"})"),
              "20000");
}

}  // namespace
}  // namespace fencegate::proxy
