#include "tests/proxy/telemetry/sample_metrics.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;

const std::string kWaitBucket = R"(fencegate_lock_acquire_wait_seconds_bucket{class="payments",)";

void expect(const std::string& scrape,
            const std::vector<std::pair<std::string, std::string>>& values) {
    for (const auto& [series, value] : values) EXPECT_EQ(value_of(scrape, series), value) << series;
}

TEST(Metrics, TellTheTimeOfTheLastBackupThatIsDone) {
    Metrics metrics(options());

    metrics.store_backed_up(WallTime(std::chrono::seconds(1'700'000'000)));
    metrics.store_backup_failed();

    expect(metrics.serialize(kScrapedAt),
           {{"fencegate_store_last_backup_timestamp_seconds", "1700000000"},
            {R"(fencegate_store_backups_total{result="ok"})", "1"},
            {R"(fencegate_store_backups_total{result="failed"})", "1"}});
}

TEST(Metrics, CountsWhatItIsToldOfLocks) {
    Metrics metrics(options());

    metrics.acquire(kPayments, AcquireOutcome::QueueFull);
    metrics.acquire_wait(kPayments, AcquireOutcome::Timeout, 20ms);
    metrics.locks_held(kPayments, 3);
    metrics.lock_waiters(kPayments, 5);
    metrics.lease_renewed(kPayments);
    metrics.lease_ended(kPayments, lockmgr::LeaseEnding::Released, 2s, 28s);
    metrics.lease_ended(kPayments, lockmgr::LeaseEnding::Broken, 1s, 9s);
    metrics.lease_share_left(kPayments, ShareAt::Write, .04);
    metrics.lock_class_ttl(kPayments, 30s);
    metrics.lease_expiry_lag(4ms);
    metrics.fence_check(kPayments, FenceResult::NotHolder);
    metrics.fence_stale_age(kPayments, 7s);
    const auto scrape = metrics.serialize(kScrapedAt);

    expect(
        scrape,
        {{R"(fencegate_lock_acquire_total{class="payments",outcome="queue_full"})", "1"},
         {kWaitBucket + R"(outcome="timeout",le="0.025"})", "1"},
         {kWaitBucket + R"(outcome="timeout",le="0.01"})", "0"},
         {kWaitBucket + R"(outcome="granted",le="+Inf"})", "0"},
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

TEST(Metrics, ShowsEachLimitBesideItsUse) {
    Metrics metrics(options());

    metrics.limits({.connections = 500,
                    .admin_connections = 32,
                    .commands = 4096,
                    .waiters = 100'000,
                    .watchers = 1024,
                    .statements = 64,
                    .wait = 60s});
    metrics.lock_alert_after(kPayments, 5min, 30min);
    metrics.http_statements(3);
    metrics.lock_holds(kPayments,
                       {.oldest = 90s, .in_the_way_silent = 30s, .in_the_way_held = 60s});

    expect(
        metrics.serialize(kScrapedAt),
        {{R"(fencegate_http_connections_max{listener="public"})", "500"},
         {R"(fencegate_http_connections_max{listener="admin"})", "32"},
         {"fencegate_store_queue_depth_max", "4096"},
         {"fencegate_lock_waiters_max", "100000"},
         {"fencegate_watchers_max", "1024"},
         {"fencegate_statements_max", "64"},
         {"fencegate_statements", "3"},
         {"fencegate_lock_wait_max_seconds", "60"},
         {R"(fencegate_lock_oldest_hold_seconds{class="payments"})", "90"},
         {R"(fencegate_lock_in_the_way_seconds{class="payments",since="heard"})", "30"},
         {R"(fencegate_lock_in_the_way_seconds{class="payments",since="granted"})", "60"},
         {R"(fencegate_lock_in_the_way_max_seconds{class="payments",since="heard"})", "300"},
         {R"(fencegate_lock_in_the_way_max_seconds{class="payments",since="granted"})", "1800"}});
}

TEST(Metrics, CountsWhatOnlyTheLogWouldTell) {
    Metrics metrics(options());

    metrics.http_connection_refused(Listener::Public);
    metrics.http_unauthenticated(Listener::Public, NoPrincipal::UnknownKey);
    metrics.access_log_lost(5);
    metrics.access_log_lost(7);  // so far, not more
    metrics.store_epoch(2);
    metrics.store_verified(VerifyResult::Unsound, WallTime(1'700'000'000s));
    metrics.store_room({.file = 4096, .free = 1'000'000, .disk = 2'000'000});

    expect(
        metrics.serialize(kScrapedAt),
        {{R"(fencegate_http_connections_refused_total{listener="public"})", "1"},
         {R"(fencegate_http_connections_refused_total{listener="admin"})", "0"},
         {R"(fencegate_http_unauthenticated_total{listener="public",reason="unknown_key"})", "1"},
         {"fencegate_access_log_lines_lost_total", "7"},
         {"fencegate_store_epoch", "2"},
         {R"(fencegate_store_last_verification_timestamp_seconds{result="unsound"})", "1700000000"},
         {R"(fencegate_store_last_verification_timestamp_seconds{result="sound"})", "0"},
         {"fencegate_store_file_bytes", "4096"},
         {"fencegate_store_disk_free_bytes", "1000000"},
         {"fencegate_store_disk_bytes", "2000000"}});
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
    metrics.store_commit_running(2s);
    metrics.store_wal_bytes(4096);
    metrics.config_reloaded(false);
    metrics.draining(true);
    const auto scrape = metrics.serialize(kScrapedAt);

    expect(scrape, {{R"(fencegate_http_requests_total{listener="public",method="POST",)"
                     R"(route="/v1/locks/{name}",status="201"})",
                     "1"},
                    {R"(fencegate_http_request_duration_seconds_bucket{listener="public",)"
                     R"(method="POST",route="/v1/locks/{name}",le="0.005"})",
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
                    {"fencegate_store_commit_running_seconds", "2"},
                    {"fencegate_store_wal_bytes", "4096"},
                    {"fencegate_config_last_reload_successful", "0"},
                    {"fencegate_draining", "1"}});
}

TEST(Metrics, TheOldestWaiterAgesBetweenEvents) {
    Metrics metrics(options());
    const std::string series = R"(fencegate_lock_oldest_waiter_seconds{class="payments"})";

    metrics.oldest_waiter_since(kPayments, kScrapedAt - 2s);

    EXPECT_EQ(value_of(metrics.serialize(kScrapedAt), series), "2");
    EXPECT_EQ(value_of(metrics.serialize(kScrapedAt + 30s), series), "32");
    metrics.oldest_waiter_since(kPayments, std::nullopt);
    EXPECT_EQ(value_of(metrics.serialize(kScrapedAt + 60s), series), "0");
}

TEST(Metrics, AHundredThousandRecordsAddNoSeries) {
    Metrics metrics(options());
    const auto series_before = lines_of(metrics.serialize(kScrapedAt));

    for (int round = 0; round < 100'000; ++round) {
        const auto index = static_cast<std::size_t>(round);
        metrics.http_request(Listener::Public, index, round % 1000 - 100, 1ms);
        metrics.acquire(index, AcquireOutcome::Granted);
    }

    EXPECT_EQ(lines_of(metrics.serialize(kScrapedAt)), series_before);
}

TEST(Metrics, WhatNobodyAnnouncedIsCountedUnderOtherAndUnmatched) {
    Metrics metrics(options());

    metrics.http_request(Listener::Public, 999, 404, 1ms);
    metrics.http_request(Listener::Public, kScrapeRoute, 200, 1ms);
    metrics.http_request(Listener::Public, kAcquireRoute, 299, 1ms);
    metrics.acquire(77, AcquireOutcome::Denied);
    const auto scrape = metrics.serialize(kScrapedAt);

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
                    if (round % 1'000 == 0) metrics.oldest_waiter_since(kPayments, kScrapedAt);
                }
            });
        }
        EXPECT_FALSE(metrics.serialize(kScrapedAt).empty());
    }

    EXPECT_EQ(value_of(metrics.serialize(kScrapedAt),
                       R"(fencegate_http_requests_total{listener="public",method="POST",)"
                       R"(route="/v1/locks/{name}",status="200"})"),
              "20000");
}

}  // namespace
}  // namespace fencegate::proxy
