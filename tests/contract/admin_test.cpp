// The admin listener: health, readiness, metrics and who may read them; and counters that say what
// the clients did, no more and no less.
#include "tests/contract/gateway_suite.hpp"
#include "tests/support/api_calls.hpp"
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

std::string labelled(std::string_view name, std::string_view label, std::string_view value) {
    const bool is_of_class =
        label != "class" && !name.starts_with("idempotency") && !name.starts_with("payments");
    return filled(R"(fencegate_${$$="$"})", name, is_of_class ? R"(class="payments",)" : "", label,
                  value);
}

class Counters : public Admin {
protected:
    void remember() { before_ = admin.request("GET", "/metrics").body; }
    // By how much each series has grown since remember(). All are there from the start.
    void expect_growth(std::initializer_list<std::pair<std::string, double>> series) {
        const auto now = admin.request("GET", "/metrics").body;
        const auto value = [](std::string_view page, std::string_view name) {
            return std::stod(testing::metric_in(page, name));
        };
        for (const auto& [name, growth] : series)
            EXPECT_EQ(value(now, name) - value(before_, name), growth) << name;
    }

    const std::string id = create_payment();
    const std::string lock_name = "payments/" + id;

private:
    std::string before_;
};

TEST_F(Counters, OfAcquiresEqualWhatTheClientsDid) {
    remember();

    const auto own = grant(lock_name);
    acquire(lock_name);
    acquire(lock_name);
    acquire(lock_name, R"({"wait_ms":50})");
    acquire(lock_name, R"({"ttl_ms":1})");

    expect_growth({{labelled("lock_acquire_total", "outcome", "granted"), 1},
                   {labelled("lock_acquire_total", "outcome", "contended"), 2},
                   {labelled("lock_acquire_total", "outcome", "timeout"), 1},
                   {labelled("lock_acquire_total", "outcome", "denied"), 1},
                   {labelled("lock_acquire_total", "outcome", "queue_full"), 0},
                   {labelled("locks_held", "class", "payments"), 1},
                   {labelled("lock_waiters", "class", "payments"), 0},
                   {labelled("locks_held", "class", "other"), 0}});
}

TEST_F(Counters, OfLeasesEqualHowTheyEnded) {
    const auto brief = grant(fresh("payments/pay"), 100);
    remember();

    await_end(brief, "expired");
    const auto released = grant(lock_name);
    renew(released);
    release(released);
    remove("/v1/leases/" + released.lease_id);
    break_lock(grant(lock_name));

    expect_growth({{labelled("lease_released_total", "class", "payments"), 1},
                   {labelled("lease_expired_total", "class", "payments"), 1},
                   {labelled("lease_broken_total", "class", "payments"), 1},
                   {labelled("lease_renewed_total", "class", "payments"), 1},
                   {labelled("lock_hold_seconds_count", "end", "released"), 1},
                   {"fencegate_lease_expiry_lag_seconds_count", 1},
                   {labelled("locks_held", "class", "payments"), -1}});
}

TEST_F(Counters, OfFenceChecksEqualTheirVerdicts) {
    const auto released = grant(lock_name);
    release(released);
    const auto broken = grant(lock_name);
    break_lock(broken);
    const auto brief = grant(lock_name, 100);
    await_end(brief, "expired");
    const auto other = grant(fresh("payments/pay"));
    auto mallory = as("mallory");
    remember();

    refund(id, brief.token, 1);
    const auto own = grant(lock_name);
    refund(id, own.token, 1);
    refund(id, own.token, 1);
    refund(id, brief.token, 1);
    refund(id, released.token, 1);
    refund(id, broken.token, 1);
    refund(id, other.token, 1);
    refund(id, "4711", 1);
    refund(id, "zero", 1);
    refund(id, "", 1);
    mallory.request("POST", "/v1/" + lock_name + "/refunds", fenced(own.token));

    const auto checks = [](std::string_view result) {
        return labelled("fence_checks_total", "result", result);
    };
    expect_growth({{checks("accepted"), 2},
                   {checks("expired"), 1},
                   {checks("stale"), 1},
                   {checks("released"), 1},
                   {checks("broken"), 1},
                   {checks("mismatch"), 1},
                   {checks("unknown"), 1},
                   {checks("malformed"), 1},
                   {checks("missing"), 1},
                   {checks("not_holder"), 1},
                   {checks("late"), 0},
                   {"fencegate_fence_stale_age_seconds_count{class=\"payments\"}", 1}});
}

TEST_F(Counters, OfIdempotencyAndPaymentsEqualWhatHappened) {
    const auto own = grant(lock_name);
    remember();

    const auto key = fenced(own.token);
    move("refunds", id, key, R"({"amount":1})");
    move("refunds", id, key, R"({"amount":1})");
    move("refunds", id, key, R"({"amount":2})");
    refund(id, own.token, 5'000);
    refund(id, "4711", 1);
    move("captures", id, own.token);
    create_payment();

    const auto payments = [](std::string_view operation, std::string_view result) {
        return filled(R"(fencegate_payments_total{operation="$",result="$"})", operation, result);
    };
    expect_growth({{labelled("idempotency_total", "result", "new"), 4},
                   {labelled("idempotency_total", "result", "replayed"), 1},
                   {labelled("idempotency_total", "result", "mismatch"), 1},
                   {labelled("idempotency_total", "result", "in_flight"), 0},
                   {payments("refund", "ok"), 1},
                   {payments("refund", "refused"), 1},
                   {payments("capture", "refused"), 1},
                   {payments("create", "ok"), 1},
                   {payments("cancel", "ok"), 0}});
}

TEST_F(Counters, OfRequestsNameTheRouteAndNeverTheLock) {
    const auto requests = [](std::string_view method, std::string_view route,
                             std::string_view status) {
        return filled(
            R"(fencegate_http_requests_total{listener="public",method="$",route="$",status="$"})",
            method, route, status);
    };
    remember();

    const auto own = grant(lock_name);
    acquire(lock_name);
    client.request("GET", "/v1/secret-path");

    expect_growth({{requests("POST", "/v1/locks/{name...}", "201"), 1},
                   {requests("POST", "/v1/locks/{name...}", "423"), 1},
                   {requests("any", "unmatched", "404"), 1}});
    const auto text = admin.request("GET", "/metrics").body;
    for (const auto& secret : {id, std::string("secret-path"), own.lease_id}) {
        EXPECT_FALSE(contains(text, secret)) << secret;
    }
}

}  // namespace
}  // namespace fencegate::contract
