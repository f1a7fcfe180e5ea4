// The admin listener: health, readiness, metrics and who may read them.
#include "tests/contract/gateway_suite.hpp"
#include "tests/support/gunzip.hpp"

namespace fencegate::contract {
namespace {

class Admin : public GatewaySuite {
protected:
    HttpsClient admin = gateway().admin_client();
};

TEST_F(Admin, HealthReadinessAndMetricsNeedNoKeyOnLoopback) {
    auto nobody = gateway().admin_client("");

    for (const auto* target : {"/healthz", "/readyz"})
        EXPECT_THAT(nobody.request("GET", target),
                    Is(200, R"({"status":"ok"})").with("Content-Type", "application/json"))
            << target;
    const auto metrics = nobody.request("GET", "/metrics");
    EXPECT_THAT(metrics, Is(200).with("Content-Type", "text/plain; version=0.0.4; charset=utf-8"));
    EXPECT_TRUE(contains(metrics.body, "# TYPE fencegate_lock_acquire_total counter\n"));
    EXPECT_TRUE(contains(metrics.body, "\nprocess_resident_memory_bytes "));
}

TEST_F(Admin, MetricsAreCompressedForWhoAsks) {
    const auto plain = admin.request("GET", "/metrics");
    const auto small = admin.request("GET", "/metrics", {{"Accept-Encoding", "gzip"}});

    EXPECT_THAT(plain,
                Is(200).with("Content-Encoding", "<absent>").with("Vary", "Accept-Encoding"));
    EXPECT_THAT(small, Is(200)
                           .with("Content-Encoding", "gzip")
                           .with("Content-Type", plain.header("Content-Type")));
    EXPECT_LT(small.body.size(), plain.body.size() / 5);
    EXPECT_TRUE(contains(fencegate::testing::gunzip(small.body),
                         "# TYPE fencegate_lock_acquire_total counter\n"));
}

TEST_F(Admin, ServesNothingElse) {
    for (const auto* target : {"/", "/v1/locks/a", "/metrics/x"})
        EXPECT_THAT(admin.request("GET", target), Refused(404, "not_found")) << target;
    EXPECT_THAT(admin.request("POST", "/metrics"),
                Refused(405, "method_not_allowed").with("Allow", "GET"));
    EXPECT_THAT(admin.request("DELETE", "/locks/hot"), Refused(405, "method_not_allowed"));
}

class ClosedMetrics : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("[metrics]\nanonymous = false\n"); }
};

TEST_F(ClosedMetrics, NeedAKeyThatMayReadThem) {
    const auto app = gateway().add_key("app", {"locks:read", "locks:write", "admin"});
    const auto prometheus = gateway().add_key("prometheus", {"metrics:read"});
    for (const auto* target : {"/metrics", "/locks/hot"}) {
        EXPECT_THAT(gateway().admin_client("").request("GET", target),
                    Refused(401, "unauthenticated"));
        EXPECT_THAT(gateway().admin_client(app).request("GET", target), Refused(403, "forbidden"));
        EXPECT_THAT(gateway().admin_client(prometheus).request("GET", target), Is(200)) << target;
        EXPECT_THAT(gateway().admin_client(gateway().api_key()).request("GET", target), Is(200))
            << target;
    }
}

// That counters say what clients were told is the storm's (tests/e2e/storm_test.cpp).
TEST_F(Admin, CountersNameTheRouteAndTheClassAndNeverTheLock) {
    const auto value = [&](const std::string& series) {
        return std::stod(testing::metric(admin, series));
    };
    const auto requests = [&](std::string_view method, std::string_view route, int status) {
        return value(filled(
            R"(fencegate_http_requests_total{listener="public",method="$",route="$",status="$"})",
            method, route, status));
    };
    const auto name = fresh("payments/pay");
    ASSERT_EQ(requests("POST", "/v1/locks/{name...}", 201), 0) << "it exists from the start";
    ASSERT_EQ(value(R"(fencegate_locks_held{class="payments"})"), 0);

    const auto own = grant(name);
    acquire(name);
    get("/v1/secret-path");

    EXPECT_EQ(requests("POST", "/v1/locks/{name...}", 201), 1);
    EXPECT_EQ(requests("POST", "/v1/locks/{name...}", 423), 1);
    EXPECT_EQ(requests("any", "unmatched", 404), 1);
    EXPECT_EQ(value(R"(fencegate_locks_held{class="payments"})"), 1);
    const auto text = admin.request("GET", "/metrics").body;
    for (const auto& secret : {name, std::string("secret-path"), own.lease_id})
        EXPECT_FALSE(contains(text, secret)) << secret;
}

}  // namespace
}  // namespace fencegate::contract
