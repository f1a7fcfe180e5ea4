// What a correct client that repeats itself is told: never to pay again, never that it holds what
// it has lost, and never that it did something wrong.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class HonestKeys : public GatewaySuite {
protected:
    Headers keyed(const Headers& more = {}) const {
        Headers headers{{"Idempotency-Key", key}};
        headers.insert(headers.end(), more.begin(), more.end());
        return headers;
    }

    const std::string id = create_payment();
    const Grant own = grant_payment(id);
    const std::string key = fresh("key");
};

TEST_F(HonestKeys, TheSameRefundSpeltOtherwiseIsTheSameRefund) {
    const auto headers = keyed({{"X-Fence-Token", own.token}});
    const auto first = move("refunds", id, headers, R"({"amount":100,"reason":"late"})");
    ASSERT_EQ(first.status, 201) << first.body;

    for (const auto* body :
         {R"({"amount": 100, "reason": "late"})", R"({"reason":"late","amount":100})",
          "\n{\t\"amount\" : 100 ,\r\n \"reason\":\"l\\u0061te\" }\n"}) {
        const auto again = move("refunds", id, headers, body);

        EXPECT_EQ(again.status, 201) << body << again.body;
        EXPECT_EQ(again.body, first.body);
        EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    }
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 100);
}

TEST_F(HonestKeys, AMismatchNamesWhatTheKeyStandsForAndAdvisesNoOther) {
    const auto headers = keyed({{"X-Fence-Token", own.token}});
    ASSERT_EQ(move("refunds", id, headers, R"({"amount":100})").status, 201);

    const auto refused = move("refunds", id, headers, R"({"amount":101})");

    expect_problem(refused, 422, "idempotency_mismatch");
    EXPECT_EQ(refused.json_text("original_resource"), "/v1/payments/" + id);
    EXPECT_EQ(refused.json_text("original_operation"), "refund");
    EXPECT_TRUE(refused.json_text("original_at").ends_with('Z'));
    EXPECT_EQ(get(refused.json_text("original_resource")).json_int("amount_refunded"), 100);
    for (const auto* advice : {"new key", "another key", "new Idempotency-Key", "different key"})
        EXPECT_FALSE(contains(refused.body, advice)) << refused.body;
}

TEST_F(HonestKeys, AMismatchOfARefusedCallSaysThatItWasRefused) {
    const auto headers = keyed({{"X-Fence-Token", own.token}});
    expect_problem(move("refunds", id, headers, R"({"amount":1001})"), 422,
                   "refund_exceeds_captured");

    const auto refused = move("refunds", id, headers, R"({"amount":101})");

    expect_problem(refused, 422, "idempotency_mismatch");
    EXPECT_EQ(refused.json_text("original_code"), "refund_exceeds_captured");
}

TEST_F(HonestKeys, AnAcquireKeyNeedsItsOwner) {
    const auto name = fresh("lock");
    const auto job = "/v1/runs/" + fresh("job") + "/2020-02-29T02:00:00Z";
    for (const auto& target : {"/v1/locks/" + name, "/v1/elections/" + fresh("e"), job}) {
        const auto refused = client.request("POST", target, keyed());
        expect_problem(refused, 400, "invalid_argument");
        EXPECT_TRUE(contains(refused.json_text("detail"), "owner"));
    }
    EXPECT_EQ(acquire(name, {}).status, 201) << "without a key nobody is asked for a name";
}

TEST_F(HonestKeys, TwoWorkersWithOneAcquireKeyDoNotShareAToken) {
    const auto name = fresh("lock");
    const auto first = acquire(name, R"({"owner":"one"})", keyed());
    ASSERT_EQ(first.status, 201);

    const auto second = acquire(name, R"({"owner":"two"})", keyed());

    expect_problem(second, 422, "idempotency_mismatch");
    EXPECT_EQ(second.header_count("X-Fence-Token"), 0U);
    EXPECT_EQ(second.json_text("original_resource"), "/v1/leases/" + first.json_text("lease_id"));
    EXPECT_TRUE(contains(second.json_text("detail"), "belongs to its owner"));
}

// --- following a remedy works ---

TEST_F(HonestKeys, TheRemedyOfAReplayedAcquireThatIsOverWorks) {
    const auto name = fresh("lock");
    constexpr std::string_view kBody = R"({"owner":"one","ttl_ms":60000})";
    const auto first = grant_of(acquire(name, kBody, keyed()));
    release(first);

    const auto over = acquire(name, kBody, keyed());
    expect_problem(over, 410, "lease_released");
    EXPECT_TRUE(contains(over.json_text("remedy"), name)) << over.body;
    EXPECT_TRUE(contains(over.json_text("remedy"), "another acquire key")) << over.body;

    const auto granted = acquire(name, kBody, {{"Idempotency-Key", fresh("key")}});
    EXPECT_EQ(granted.status, 201);
}

TEST_F(HonestKeys, TheRemedyOfATokenOfAnotherPaymentNamesThisPaymentsLock) {
    const auto other = create_payment();
    const auto headers = [&](std::string_view token) {
        return keyed({{"X-Fence-Token", std::string(token)}});
    };
    const auto refused = move("refunds", other, headers(own.token), R"({"amount":1})");

    expect_problem(refused, 412, "fence_lock_mismatch");
    EXPECT_EQ(refused.json_text("lock"), "payments/" + other);
    EXPECT_TRUE(contains(refused.json_text("remedy"), "payments/" + other)) << refused.body;

    const auto right = grant_payment(other);
    EXPECT_EQ(move("refunds", other, headers(right.token), R"({"amount":1})").status, 201);
}

TEST_F(HonestKeys, AClaimOfARunThatIsDoneIsNotGrantedAgain) {
    const auto path = "/v1/runs/" + fresh("job") + "/2020-02-29T02:00:00Z";
    constexpr std::string_view kBody = R"({"owner":"one","ttl_ms":60000})";
    const auto claimed = grant_of(client.request("POST", path, keyed(), kBody));
    ASSERT_EQ(client.request("POST", path + "/done", {{"X-Fence-Token", claimed.token}}).status,
              200);

    const auto again = client.request("POST", path, keyed(), kBody);

    expect_problem(again, 409, "run_done");
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
}

TEST_F(HonestKeys, AClaimOfARunThatFailedSaysSo) {
    const auto path = "/v1/runs/" + fresh("job") + "/2020-02-29T02:00:00Z";
    constexpr std::string_view kBody = R"({"owner":"one","ttl_ms":60000})";
    const auto claimed = grant_of(client.request("POST", path, keyed(), kBody));
    ASSERT_EQ(client.request("POST", path + "/failed", {{"X-Fence-Token", claimed.token}}).status,
              200);

    expect_problem(client.request("POST", path, keyed(), kBody), 409, "run_failed");
    EXPECT_EQ(client.request("POST", path, {{"Idempotency-Key", fresh("key")}}, kBody).status, 201);
}

// --- a reply was lost ---

TEST_F(HonestKeys, ARepeatedReleaseIsASuccess) {
    const auto target = "/v1/leases/" + own.lease_id;
    ASSERT_EQ(client.request("DELETE", target).status, 204);
    const auto next = grant_payment(id);

    const auto again = client.request("DELETE", target);

    EXPECT_EQ(again.status, 204) << again.body;
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(lease(next).json_text("state"), "live") << "it lets nobody else go";
}

TEST_F(HonestKeys, ARepeatedResignationIsASuccessAndNoRefusedWrite) {
    const auto name = fresh("election");
    const auto target = "/v1/elections/" + name;
    const auto leader = grant_of(client.request("POST", target, {}, R"({"owner":"one"})"));
    const Headers token{{"X-Fence-Token", leader.token}};
    ASSERT_EQ(client.request("DELETE", target, token).status, 204);

    EXPECT_EQ(client.request("DELETE", target, token).status, 204);

    EXPECT_EQ(get("/v1/history?lock=elections/" + name).json_int("/data/0/refused_writes"), 0);
}

// Each call twice under its key; what it needs was made ready before.
TEST_F(HonestKeys, WorkOnEveryWriteRoute) {
    struct Call {
        std::string method;
        std::string target;
        Headers headers;
        std::string body;
    };
    const auto election = "/v1/elections/" + fresh("e");
    const auto leader = grant_of(client.request("POST", election, {}, R"({"owner":"one"})"));
    const auto job = "/v1/runs/" + fresh("job");
    const auto slot = [&](const char* day) { return job + "/2020-02-0" + day + "T02:00:00Z"; };
    const auto claim = [&](const char* day) {
        return Headers{
            {"X-Fence-Token", grant_of(client.request("POST", slot(day), {}, "{}")).token}};
    };
    const auto to_break = grant(fresh("lock"));
    const auto consumer = "/v1/events/consumers/" + fresh("c");
    const Headers led{{"X-Fence-Token", leader.token}};
    const std::vector<Call> calls = {
        {"POST", "/v1/leases/" + own.lease_id + "/renew", {}, R"({"ttl_ms":50000})"},
        {"PUT", election, led, R"({"value":{"a":1}})"},
        {"DELETE", election, led, ""},
        {"POST", slot("1") + "/done", claim("1"), R"({"result":"ok"})"},
        {"POST", slot("2") + "/failed", claim("2"), ""},
        {"DELETE",
         "/v1/locks/" + to_break.lock,
         {{"If-Fence-Token", to_break.token}},
         R"({"reason":"stuck"})"},
        {"PUT", consumer, {}, R"({"position":0})"},
        {"DELETE", consumer, {}, ""},
        {"DELETE", "/v1/leases/" + own.lease_id, {}, ""},
    };
    for (const auto& call : calls) {
        SCOPED_TRACE(call.method + " " + call.target);
        auto headers = call.headers;
        headers.emplace_back("Idempotency-Key", fresh("key"));
        const auto first = client.request(call.method, call.target, headers, call.body);
        ASSERT_LT(first.status, 300) << first.body;
        EXPECT_EQ(first.header_count("Idempotency-Replayed"), 0U);

        const auto again = client.request(call.method, call.target, headers, call.body);

        EXPECT_EQ(again.status, first.status) << again.body;
        EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
        const auto mismatch = client.request(call.method, call.target + "?x=1", headers, call.body);
        expect_problem(mismatch, 422, "idempotency_mismatch");
        EXPECT_TRUE(mismatch.json_text("original_resource").starts_with("/v1/")) << mismatch.body;
    }
}

TEST_F(HonestKeys, AMalformedKeyIsRefusedOnEveryWriteRoute) {
    for (const auto& [method, target] : std::vector<std::pair<std::string, std::string>>{
             {"POST", "/v1/leases/" + own.lease_id + "/renew"},
             {"DELETE", "/v1/leases/" + own.lease_id},
             {"PUT", "/v1/events/consumers/c"}}) {
        expect_problem(client.request(method, target, {{"Idempotency-Key", "a b"}}), 400,
                       "idempotency_key_malformed");
    }
    EXPECT_EQ(lease(own).json_text("state"), "live");
}

}  // namespace
}  // namespace fencegate::contract
