// What /metrics shows beside counters of answers: limits, room, the ages of holds, and what leaves
// no other trace.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class WatchedLevels : public GatewaySuite {
protected:
    static void SetUpTestSuite() {
        start(
            "connections_max = 30\nwatchers_max = 5\n[class.payments]\nalert_held_after = "
            "\"7m\"\n");
    }
    double value(const std::string& series) { return std::stod(testing::metric(admin, series)); }

    HttpsClient admin = gateway().admin_client();
};

TEST_F(WatchedLevels, EachLimitIsTheOneOfTheConfiguration) {
    EXPECT_EQ(value(R"(fencegate_http_connections_max{listener="public"})"), 30);
    EXPECT_EQ(value("fencegate_watchers_max"), 5);
    EXPECT_EQ(value("fencegate_store_queue_depth_max"), 4096);
    EXPECT_EQ(value("fencegate_lock_waiters_max"), 100'000);
    EXPECT_EQ(value("fencegate_lock_wait_max_seconds"), 60);
    EXPECT_EQ(value("fencegate_statements_max"), 64);
    EXPECT_EQ(value(R"(fencegate_lock_in_the_way_max_seconds{class="payments",since="granted"})"),
              420);
    EXPECT_EQ(value(R"(fencegate_lock_in_the_way_max_seconds{class="other",since="heard"})"), 300);
}

TEST_F(WatchedLevels, TheStoreAndItsDiskHaveASize) {
    const auto disk = value("fencegate_store_disk_bytes");

    EXPECT_GT(value("fencegate_store_file_bytes"), 4'096);
    EXPECT_GT(value("fencegate_store_disk_free_bytes"), 0);
    EXPECT_LT(value("fencegate_store_disk_free_bytes"), disk);
    EXPECT_TRUE(
        contains(admin.request("GET", "/metrics").body, R"(fencegate_build_info{openssl="3.)"));
}

TEST_F(WatchedLevels, A401SaysByWhat) {
    const auto refused = [&](const char* reason) {
        return value(filled(R"(fencegate_http_unauthenticated_total{listener="public",reason="$"})",
                            reason));
    };
    auto nobody = gateway().client("");

    nobody.request("GET", "/v1/locks");
    nobody.request("GET", "/v1/locks", {{"Authorization", "Basic eDp5"}});
    nobody.request("GET", "/v1/locks", {{"Authorization", "Bearer fgk_unknown"}});
    nobody.request("GET", "/v1/locks", {{"Authorization", "Bearer fgk_unknown"}});

    EXPECT_EQ(refused("no_key"), 1);
    EXPECT_EQ(refused("not_bearer"), 1);
    EXPECT_EQ(refused("unknown_key"), 2);
}

TEST_F(WatchedLevels, AHolderIsInTheWayOnceSomebodyAsksForItsLock) {
    const auto silent = R"(fencegate_lock_in_the_way_seconds{class="payments",since="heard"})";
    const auto held = grant(fresh("payments/pay"));
    EXPECT_GT(value(R"(fencegate_lock_oldest_hold_seconds{class="payments"})"), 0);
    EXPECT_EQ(value(silent), 0);

    acquire(held.lock);

    EXPECT_GT(value(silent), 0);
}

class FewConnections : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("connections_max = 2\n"); }
};

TEST_F(FewConnections, OneMoreIsCounted) {
    auto admin = gateway().admin_client();
    const auto refused = [&] {
        return std::stod(testing::metric(
            admin, R"(fencegate_http_connections_refused_total{listener="public"})"));
    };
    ASSERT_EQ(refused(), 0);

    std::vector<HttpsClient> open;
    for (int count = 0; count < 3; ++count) {
        try {
            open.push_back(gateway().client());
            open.back().connect();
        } catch (const std::runtime_error&) {
            continue;  // as many as may are open
        }
    }

    await("the refusal is counted", [&] { return refused() > 0; });
}

}  // namespace
}  // namespace fencegate::contract
