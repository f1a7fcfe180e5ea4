// At most once per idempotency key: one effect, every later answer equal to the first.
#include "tests/contract/gateway_suite.hpp"

#include <set>
#include <vector>

namespace fencegate::contract {
namespace {

constexpr std::string_view kHundred = R"({"amount":100})";
constexpr std::string_view kCreate = R"({"amount":500,"currency":"EUR"})";

class Idempotency : public PaymentSuite {
protected:
    Response refund_under(std::string_view token, std::string_view body = kHundred) {
        return move("refunds", id, fenced(token, key), body);
    }
    void expect_replay(const Response& again, const Response& first, std::string_view fence) {
        EXPECT_THAT(again, Is(first.status)
                               .with("Content-Type", first.header("Content-Type"))
                               .with("ETag", first.header("ETag"))
                               .with("Idempotency-Replayed", "true")
                               .with("X-Fence-Status", fence));
        EXPECT_EQ(again.body, first.body) << "to the byte";
        EXPECT_NE(again.header("X-Request-Id"), first.header("X-Request-Id"));
        EXPECT_EQ(refunded(id), 100);
    }

    const std::string key = fresh("key");
};

TEST_F(Idempotency, AFinishedKeyReplaysItsAnswerWhateverTheTokenNow) {
    const auto first = refund_under(own.token);
    ASSERT_THAT(
        first, Is(201).with("Idempotency-Replayed", "<absent>").with("X-Fence-Status", "<absent>"));

    expect_replay(refund_under(own.token), first, "live");
    expect_replay(move("refunds", id, Headers{{"Idempotency-Key", key}}, kHundred), first, "live");
    expect_replay(move("refunds", id, fenced("nonsense", key), kHundred), first, "live");
    expect_replay(move("refunds", id, fenced(own.token, "\"" + key + "\""), kHundred), first,
                  "live");
    release(own);
    expect_replay(refund_under(own.token), first, "stale");
    expect_replay(refund_under(grant_payment(id).token), first, "stale");
}

TEST_F(Idempotency, AHundredRetriesAtOnceMakeOneRefund) {
    const auto text = request_text(gateway(), "POST", "/v1/payments/" + id + "/refunds",
                                   fenced(own.token, key), kHundred);
    std::vector<HttpsClient> clients;
    for (int at = 0; at < 100; ++at) clients.push_back(gateway().client());

    for (auto& one : clients) one.send_raw(text);
    std::set<std::string> bodies;
    int first = 0;
    for (auto& one : clients) {
        const auto answer = one.read_response();
        EXPECT_THAT(answer, ::testing::AnyOf(Is(201), Refused(409, "idempotency_in_flight")));
        if (answer.status != 201) continue;
        if (answer.header_count("Idempotency-Replayed") == 0) ++first;
        bodies.insert(answer.body);
    }

    EXPECT_EQ(first, 1);
    EXPECT_EQ(bodies.size(), 1U);
    EXPECT_EQ(refunded(id), 100);
}

TEST_F(Idempotency, OfACreateReplaysItsLocationToItsPrincipal) {
    const Headers headers{{"Idempotency-Key", key}};
    const auto first = post("/v1/payments", kCreate, headers);

    const auto again = post("/v1/payments", kCreate, headers);

    EXPECT_THAT(again, Is(201)
                           .with("Location", first.header("Location"))
                           .with("Idempotency-Replayed", "true")
                           .with("X-Fence-Status", "<absent>"));  // it was made under no fence
    EXPECT_EQ(again.body, first.body);
    const auto theirs = as("another").request("POST", "/v1/payments", headers, kCreate);
    EXPECT_THAT(theirs, Is(201).with("Idempotency-Replayed", "<absent>"));
    EXPECT_NE(theirs.json_text("id"), first.json_text("id"));
}

TEST_F(Idempotency, ARefusalByTheRulesIsFinalForItsKey) {
    const auto first = refund_under(own.token, R"({"amount":1001})");
    EXPECT_THAT(first, Refused(422, "refund_exceeds_captured"));

    const auto again = refund_under(own.token, R"({"amount":1001})");

    EXPECT_THAT(again,
                Refused(422, "refund_exceeds_captured").with("Idempotency-Replayed", "true"));
    EXPECT_EQ(again.body, first.body);
}

TEST_F(Idempotency, AnotherBodyOrPathUnderTheSameKeyIsAMismatch) {
    ASSERT_THAT(refund_under(own.token), Is(201));
    const auto other = create_payment();
    const auto is_mismatch = Refused(422, "idempotency_mismatch");

    EXPECT_THAT(refund_under(own.token, R"({"amount":101})"), is_mismatch);
    EXPECT_THAT(move("refunds", other, fenced(grant_payment(other).token, key), kHundred),
                is_mismatch);
    EXPECT_THAT(move("captures", id, fenced(own.token, key), kHundred), is_mismatch);
    EXPECT_EQ(refunded(id), 100);
    EXPECT_EQ(refunded(other), 0);
}

TEST_F(Idempotency, IsRequiredOnEveryPaymentWrite) {
    EXPECT_THAT(post("/v1/payments", kCreate), Refused(400, "idempotency_key_required"));
    for (const char* action : {"captures", "refunds", "cancel"})
        EXPECT_THAT(move(action, id, fence(own.token)), Refused(400, "idempotency_key_required"))
            << action;
    EXPECT_EQ(refunded(id), 0);
}

TEST_F(Idempotency, OfAMalformedKeyIsRefusedOnEveryWriteRoute) {
    const auto lease = "/v1/leases/" + own.lease_id;
    for (const auto& bad : Texts{"", "\"\"", "a b", "\"a", "a\"b", std::string(256, 'k')}) {
        for (const auto& [method, target] :
             {std::pair<const char*, std::string>("POST", "/v1/payments"),
              {"POST", "/v1/locks/" + fresh("lock")},
              {"POST", lease + "/renew"},
              {"DELETE", lease},
              {"PUT", "/v1/events/consumers/c"}})
            EXPECT_THAT(client.request(method, target, {{"Idempotency-Key", bad}}, ""),
                        Refused(400, "idempotency_key_malformed"))
                << bad << " " << target;
    }
    EXPECT_EQ(state_of(own), "live");
}

TEST_F(Idempotency, SentTwiceIsRefused) {
    auto twice = fenced(own.token, key);
    twice.emplace_back("Idempotency-Key", key);

    EXPECT_THAT(move("refunds", id, twice, kHundred), Refused(400, "bad_request"));
    EXPECT_EQ(refunded(id), 0);
}

}  // namespace
}  // namespace fencegate::contract
