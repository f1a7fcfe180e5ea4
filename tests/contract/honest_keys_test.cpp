// What a correct client that repeats itself is told: never to pay again, never that it holds what
// it has lost, and never that it did something wrong.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

constexpr std::string_view kOne = R"({"owner":"one","ttl_ms":60000})";

class HonestKeys : public PaymentSuite {
protected:
    Response refund_once(std::string_view body) {
        return move("refunds", id, fenced(own.token, key.front().second), body);
    }

    const Headers key{{"Idempotency-Key", fresh("key")}};
    const Headers other_key{{"Idempotency-Key", fresh("key")}};
    const std::string name = fresh("lock");
    const std::string run = "/v1/runs/" + fresh("job") + "/2020-02-29T02:00:00Z";
};

TEST_F(HonestKeys, TheSameRefundSpeltOtherwiseIsTheSameRefund) {
    const auto first = refund_once(R"({"amount":100,"reason":"late"})");

    for (const auto* body :
         {R"({"amount": 100, "reason": "late"})", R"({"reason":"late","amount":100})",
          "\n{\t\"amount\" : 100 ,\r\n \"reason\":\"l\\u0061te\" }\n"}) {
        const auto again = refund_once(body);
        EXPECT_THAT(again, Is(201).with("Idempotency-Replayed", "true")) << body;
        EXPECT_EQ(again.body, first.body);
    }
    EXPECT_EQ(refunded(id), 100);
}

TEST_F(HonestKeys, AMismatchNamesWhatTheKeyStandsForAndAdvisesNoOther) {
    ASSERT_THAT(refund_once(R"({"amount":100})"), Is(201));

    const auto refused = refund_once(R"({"amount":101})");

    EXPECT_THAT(refused, Refused(422, "idempotency_mismatch",
                                 R"({"original_resource":"/v1/payments/$",)"
                                 R"("original_operation":"refund","original_at":"<time>"})",
                                 id));
    EXPECT_THAT(get(refused.json_text("original_resource")), Is(200, R"({"amount_refunded":100})"));
    for (const auto* advice : {"new key", "another key", "new Idempotency-Key", "different key"})
        EXPECT_FALSE(contains(refused.body, advice)) << refused.body;
}

TEST_F(HonestKeys, AMismatchOfARefusedCallSaysThatItWasRefused) {
    EXPECT_THAT(refund_once(R"({"amount":1001})"), Refused(422, "refund_exceeds_captured"));

    EXPECT_THAT(
        refund_once(R"({"amount":101})"),
        Refused(422, "idempotency_mismatch", R"({"original_code":"refund_exceeds_captured"})"));
}

TEST_F(HonestKeys, AnAcquireKeyNeedsItsOwner) {
    for (const auto& target : {"/v1/locks/" + name, "/v1/elections/" + name, run})
        EXPECT_THAT(post(target, {}, key),
                    Refused(400, "invalid_argument", R"({"detail":"<...owner...>"})"));
    EXPECT_THAT(acquire(name), Is(201)) << "without a key nobody is asked for a name";
}

TEST_F(HonestKeys, TwoWorkersWithOneAcquireKeyDoNotShareAToken) {
    const auto first = grant_of(acquire(name, R"({"owner":"one"})", key));

    EXPECT_THAT(acquire(name, R"({"owner":"two"})", key),
                Refused(422, "idempotency_mismatch",
                        R"({"original_resource":"/v1/leases/$",)"
                        R"("detail":"<...belongs to its owner...>"})",
                        first.lease_id)
                    .with("X-Fence-Token", "<absent>"));
}

// --- following a remedy works ---

TEST_F(HonestKeys, TheRemedyOfAReplayedAcquireThatIsOverWorks) {
    release(grant_of(acquire(name, kOne, key)));

    const auto over = acquire(name, kOne, key);
    EXPECT_THAT(over, Refused(410, "lease_released", R"({"remedy":"<...$...>"})", name));
    EXPECT_THAT(over, Says(R"({"remedy":"<...another acquire key...>"})"));

    EXPECT_THAT(acquire(name, kOne, other_key), Is(201));
}

TEST_F(HonestKeys, TheRemedyOfATokenOfAnotherPaymentNamesThisPaymentsLock) {
    const auto other = create_payment();
    const auto try_with = [&](std::string_view token) {
        return move("refunds", other, fenced(token, key.front().second), R"({"amount":1})");
    };

    EXPECT_THAT(try_with(own.token),
                Refused(412, "fence_lock_mismatch",
                        R"({"lock":"payments/$","remedy":"<...payments/$...>"})", other, other));
    EXPECT_THAT(try_with(grant_payment(other).token), Is(201));
}

TEST_F(HonestKeys, AClaimOfARunThatIsDoneOrFailedIsNotGrantedAgain) {
    for (const auto& [outcome, code] : {std::pair("done", "run_done"), {"failed", "run_failed"}}) {
        const auto slot = "/v1/runs/" + fresh("job") + "/2020-02-29T02:00:00Z";
        const Headers keyed{{"Idempotency-Key", fresh("key")}};
        const auto claimed = grant_of(post(slot, kOne, keyed));
        ASSERT_THAT(post(filled("$/$", slot, outcome), {}, fence(claimed.token)), Is(200));

        EXPECT_THAT(post(slot, kOne, keyed),
                    Refused(409, code).with("Idempotency-Replayed", "true"));
    }
}

// --- a reply was lost ---

TEST_F(HonestKeys, ARepeatedReleaseIsASuccess) {
    release(own);
    const auto next = grant_payment(id);

    EXPECT_THAT(remove("/v1/leases/" + own.lease_id), Is(204).with("Idempotency-Replayed", "true"));
    EXPECT_EQ(state_of(next), "live") << "it lets nobody else go";
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
    const auto led = fence(grant_of(post(election, R"({"owner":"one"})")).token);
    const auto other_run = "/v1/runs/" + fresh("job") + "/2020-02-29T02:00:00Z";
    const auto claim = [&](const auto& slot) { return fence(grant_of(post(slot, "{}")).token); };
    const auto to_break = grant(name);
    const auto consumer = "/v1/events/consumers/" + fresh("c");
    const auto lease = "/v1/leases/" + own.lease_id;
    const std::vector<Call> calls = {
        {"POST", lease + "/renew", {}, R"({"ttl_ms":50000})"},
        {"PUT", election, led, R"({"value":{"a":1}})"},
        {"DELETE", election, led, ""},
        {"POST", run + "/done", claim(run), R"({"result":"ok"})"},
        {"POST", other_run + "/failed", claim(other_run), ""},
        {"DELETE", "/v1/locks/" + name, {{"If-Fence-Token", to_break.token}}, R"({"reason":"x"})"},
        {"PUT", consumer, {}, R"({"position":0})"},
        {"DELETE", consumer, {}, ""},
        {"DELETE", lease, {}, ""},
    };
    for (const auto& call : calls) {
        SCOPED_TRACE(call.method + " " + call.target);
        auto headers = call.headers;
        headers.emplace_back("Idempotency-Key", fresh("key"));
        const auto first = client.request(call.method, call.target, headers, call.body);
        ASSERT_LT(first.status, 300) << first.body;
        EXPECT_THAT(first, Is(first.status).with("Idempotency-Replayed", "<absent>"));

        EXPECT_THAT(client.request(call.method, call.target, headers, call.body),
                    Is(first.status).with("Idempotency-Replayed", "true"));
        EXPECT_THAT(
            client.request(call.method, call.target + "?x=1", headers, call.body),
            Refused(422, "idempotency_mismatch", R"({"original_resource":"<.../v1/...>"})"));
    }
}

}  // namespace
}  // namespace fencegate::contract
