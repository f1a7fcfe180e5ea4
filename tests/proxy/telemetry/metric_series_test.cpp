// Which series there are: those of the contract, from the start, and never one more.
#include "proxy/telemetry/store_metrics.hpp"
#include "tests/proxy/telemetry/sample_metrics.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace fencegate::proxy {
namespace {

constexpr const char* kZeroAtTheStart[] = {
    R"(fencegate_lock_acquire_total{class="payments",outcome="granted"})",
    R"(fencegate_lock_acquire_total{class="payments",outcome="contended"})",
    R"(fencegate_lock_acquire_total{class="payments",outcome="timeout"})",
    R"(fencegate_lock_acquire_total{class="payments",outcome="queue_full"})",
    R"(fencegate_lock_acquire_total{class="other",outcome="denied"})",
    R"(fencegate_lock_acquire_wait_seconds_count{class="payments",outcome="granted"})",
    R"(fencegate_lock_acquire_wait_seconds_count{class="payments",outcome="timeout"})",
    R"(fencegate_lock_oldest_hold_seconds{class="payments"})",
    R"(fencegate_lock_in_the_way_seconds{class="payments",since="heard"})",
    R"(fencegate_lock_in_the_way_seconds{class="payments",since="granted"})",
    R"(fencegate_lock_in_the_way_max_seconds{class="payments",since="heard"})",
    R"(fencegate_lock_in_the_way_max_seconds{class="payments",since="granted"})",
    R"(fencegate_lock_waiters_max)",
    R"(fencegate_lock_wait_max_seconds)",
    R"(fencegate_http_connections_max{listener="public"})",
    R"(fencegate_http_connections_refused_total{listener="public"})",
    R"(fencegate_http_connections_refused_total{listener="admin"})",
    R"(fencegate_http_unauthenticated_total{listener="public",reason="no_key"})",
    R"(fencegate_http_unauthenticated_total{listener="admin",reason="not_bearer"})",
    R"(fencegate_http_unauthenticated_total{listener="public",reason="unknown_key"})",
    R"(fencegate_http_request_duration_seconds_count{listener="public",method="GET",route="/v1/leases/{id}"})",
    R"(fencegate_http_request_duration_seconds_count{listener="public",method="DELETE",route="/v1/leases/{id}"})",
    R"(fencegate_access_log_lines_lost_total)",
    R"(fencegate_store_queue_depth_max)",
    R"(fencegate_store_epoch)",
    R"(fencegate_store_file_bytes)",
    R"(fencegate_store_disk_free_bytes)",
    R"(fencegate_store_disk_bytes)",
    R"(fencegate_store_last_verification_timestamp_seconds{result="sound"})",
    R"(fencegate_store_last_verification_timestamp_seconds{result="unsound"})",
    R"(fencegate_store_last_verification_timestamp_seconds{result="failed"})",
    R"(fencegate_statements)",
    R"(fencegate_statements_max)",
    R"(fencegate_watchers_max)",
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
    R"(fencegate_lease_late_return_seconds_count{at="release",class="payments"})",
    R"(fencegate_lease_late_return_seconds_count{at="renewal",class="other"})",
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
    R"(fencegate_store_commit_running_seconds)",
    R"(fencegate_store_wal_bytes)",
    R"(fencegate_journal_transfers)",
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

TEST(Metrics, EverySeriesOfTheContractExistsAtZeroFromTheStart) {
    Metrics metrics(options());

    const auto scrape = metrics.serialize(kScrapedAt);

    for (const char* series : kZeroAtTheStart) {
        EXPECT_EQ(value_of(scrape, series), "0") << series;
    }
    EXPECT_EQ(value_of(scrape, R"(fencegate_build_info{openssl="3.0.17",sqlite="3.40.1",)"
                               R"(version="1.2.3"})"),
              "1");
    EXPECT_EQ(value_of(scrape, "fencegate_config_last_reload_successful"), "1");
    EXPECT_FALSE(value_of(scrape, "process_open_fds").empty());
}

TEST(Metrics, EveryRouteHasEveryStatusOnItsOwnListenerOnly) {
    Metrics metrics(options());

    const auto scrape = metrics.serialize(kScrapedAt);

    for (const auto& route : kRoutes) {
        const std::string listener = route.listener == Listener::Admin ? "admin" : "public";
        for (const char* status : {"200", "201", "202", "204", "400", "401", "403",  "404", "405",
                                   "408", "409", "410", "411", "412", "413", "415",  "422", "423",
                                   "428", "429", "431", "500", "503", "507", "other"}) {
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
    const auto path = ::testing::TempDir() + "fencegate_promtool_test.prom";
    std::ofstream(path) << metrics.serialize(kScrapedAt);

    const int status = std::system(("promtool check metrics < " + path).c_str());

    EXPECT_EQ(status, 0) << "promtool comes with the package prometheus; scripts/test installs it";
}

class Counting final : public StoreMetrics {
public:
    using StoreMetrics::StoreMetrics;
    void on_notices(std::vector<storage::LockNotice>) override {}
    void on_contentions(const std::vector<storage::Contention>&) override {}
};

TEST(Metrics, AGapIsShownUntilTheClockIsSet) {
    Metrics metrics(options());
    Counting observer(metrics);
    const auto shows = [&](const std::string& sample) {
        return metrics.serialize(kScrapedAt).find("\nfencegate_clock_" + sample + "\n") !=
               std::string::npos;
    };
    const auto last = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
    EXPECT_TRUE(shows("gap_seconds 0"));

    observer.on_clock_jump({.expected = last,
                            .shown = last + std::chrono::days(3'650),
                            .is_believed = true,
                            .is_gap = true});
    EXPECT_TRUE(shows("gap_seconds 315360000") && shows("jumps_total 0"));

    observer.on_clock_jump(
        {.expected = last + std::chrono::days(3'650), .shown = last, .is_believed = true});
    EXPECT_TRUE(shows("gap_seconds 0") && shows("jumps_total 1"));
}

// Grants and ends a lock of each name, and refuses a second grant of it.
void use_locks(fencegate::testing::StoreHarness& store, int from, int count) {
    using fencegate::testing::StoreHarness;
    std::vector<storage::Operation> batch;
    for (int lock = from; lock < from + count; ++lock) {
        const auto name = "payments/" + std::to_string(lock);
        batch.push_back(StoreHarness::acquire_of(name, {.owner = name, .ttl_ms = 100}));
        batch.push_back(StoreHarness::acquire_of(name));
        const auto other = std::to_string(lock) + "/first/segment";
        batch.push_back(StoreHarness::acquire_of(other, {.owner = name, .ttl_ms = 100}));
    }
    store.run_batch(std::move(batch));
}

// The name, or in a row of several its end from a "_" on.
bool is_documented(const std::string& docs, const std::string& family) {
    if (docs.find("`" + family + "`") != std::string::npos) return true;
    for (auto from = family.find('_'); from != std::string::npos;
         from = family.find('_', from + 1)) {
        if (docs.find("`" + family.substr(from) + "`") != std::string::npos) return true;
    }
    return family.starts_with("process_");
}

TEST(MetricSeries, EveryFamilyIsDocumented) {
    std::ifstream file(FENCEGATE_SOURCE_DIR "/docs/operations.md");
    const std::string docs{std::istreambuf_iterator<char>(file), {}};
    Metrics metrics(options());

    std::istringstream lines(metrics.serialize(kScrapedAt));
    int families = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("# TYPE ")) continue;
        const auto family = line.substr(7, line.rfind(' ') - 7);
        EXPECT_TRUE(is_documented(docs, family)) << family;
        ++families;
    }
    EXPECT_GT(families, 40);
}

// As docs/operations.md says: what a scrape grows by with each class.
TEST(MetricSeries, AClassCosts255) {
    auto with_more = options();
    with_more.lock_classes = {"payments", "jobs", "other"};
    Metrics few(options());
    Metrics more(with_more);

    const auto cost = lines_of(more.serialize(kScrapedAt)) - lines_of(few.serialize(kScrapedAt));

    EXPECT_EQ(cost, 255);
}

TEST(MetricSeries, AHundredThousandLockNamesAddNone) {
    constexpr int kNames = 50'000;  // in the class, and as many beside it
    fencegate::testing::StoreHarness store;
    Metrics metrics(options());
    Counting news(metrics);
    const auto series_before = lines_of(metrics.serialize(kScrapedAt));

    for (int from = 0; from < kNames; from += 250) {
        use_locks(store, from, 250);
        store.tick(Duration(100));
    }
    while (store.observer.levels[0].held + store.observer.levels[1].held > 0)
        store.tick(Duration(0));  // a batch ends so many and no more
    news.on_events(store.observer.all);
    const auto scrape = metrics.serialize(kScrapedAt);

    EXPECT_EQ(lines_of(scrape), series_before);
    EXPECT_EQ(
        value_of(scrape, R"(fencegate_lock_acquire_total{class="payments",outcome="granted"})"),
        "50000");
    EXPECT_EQ(value_of(scrape, R"(fencegate_lock_acquire_total{class="other",outcome="granted"})"),
              "50000");
    EXPECT_EQ(value_of(scrape, R"(fencegate_lease_expired_total{class="other"})"), "50000");
    EXPECT_EQ(scrape.find("first/segment"), std::string::npos);
}

}  // namespace
}  // namespace fencegate::proxy
