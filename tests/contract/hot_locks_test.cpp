// Which locks make the trouble: /locks/hot of the admin listener.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class HotLocks : public GatewaySuite {
protected:
    Response hot(std::string_view query = "") {
        return admin.request("GET", "/locks/hot" + std::string(query));
    }

    HttpsClient admin = gateway().admin_client();
};

TEST_F(HotLocks, TellWhoWaitedWhatExpiredAndWhereWritesWereRefused) {
    const auto payment = create_payment();
    const auto name = "payments/" + payment;
    const auto held = grant(name);
    acquire(name);
    acquire(name, R"({"wait_ms":50})");
    release(held);
    refund(payment, held.token, 1);
    const auto brief = grant(name, 100);
    await_end(brief, "expired");

    const auto answer = hot();

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    EXPECT_EQ(answer.json_int("window_seconds"), 3'600);
    EXPECT_EQ(answer.json_text("/most_waited/0/lock"), name);
    EXPECT_GE(answer.json_int("/most_waited/0/waited_ms"), 50);
    EXPECT_EQ(answer.json_text("/most_contended/0/lock"), name);
    EXPECT_EQ(answer.json_int("/most_contended/0/contended"), 2);
    EXPECT_EQ(answer.json_text("/most_expired/0/lock"), name);
    EXPECT_EQ(answer.json_int("/most_expired/0/expired"), 1);
    EXPECT_EQ(answer.json_text("/most_refused/0/lock"), name);
    EXPECT_EQ(answer.json_int("/most_refused/0/refused"), 1);
    EXPECT_EQ(answer.json_int("/most_refused/0/at_most"), 1);
}

TEST_F(HotLocks, BeginWithTheHolderThatHasHeldLongest) {
    const auto first = grant(fresh("jobs/a"));
    const auto second = grant(fresh("jobs/b"));

    const auto answer = hot("?limit=100");

    EXPECT_EQ(answer.json_text("/longest_held/0/lock"), first.lock);
    EXPECT_EQ(answer.json_text("/longest_held/0/lease_id"), first.lease_id);
    EXPECT_EQ(answer.json_text("/longest_held/1/lock"), second.lock);
    EXPECT_GE(answer.json_int("/longest_held/0/held_ms"),
              answer.json_int("/longest_held/1/held_ms"));
    EXPECT_EQ(hot("?limit=1").json_size("longest_held"), 1U);
}

TEST_F(HotLocks, TakeALimitAndNothingElse) {
    for (const auto* query : {"?limit=0", "?limit=101", "?limit=x", "?class=payments"})
        expect_problem(hot(query), 400, "invalid_argument");
    expect_problem(admin.request("DELETE", "/locks/hot"), 405, "method_not_allowed");
}

class ClosedHotLocks : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("[metrics]\nanonymous = false\n"); }

    Response hot(const std::string& key) {
        auto options = gateway().client_options();
        options.port = gateway().admin_listen().port;
        options.api_key = key;
        return HttpsClient(options).request("GET", "/locks/hot");
    }
};

TEST_F(ClosedHotLocks, NeedAKeyThatMayReadMetrics) {
    expect_problem(hot(""), 401, "unauthenticated");
    expect_problem(hot(gateway().add_key("app", {"locks:read"})), 403, "forbidden");
    EXPECT_EQ(hot(gateway().add_key("prometheus", {"metrics:read"})).status, 200);
}

}  // namespace
}  // namespace fencegate::contract
