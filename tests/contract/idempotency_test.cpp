// At most once per idempotency key: one effect, every later answer equal to the first.
#include "tests/contract/gateway_suite.hpp"

#include <set>
#include <vector>

namespace fencegate::contract {
namespace {

class Idempotency : public GatewaySuite {
protected:
    Response refund_again(const Headers& headers, std::string_view body = R"({"amount":100})") {
        return move("refunds", id, headers, body);
    }
    Headers fenced(std::string_view presented) const {
        return {{"Idempotency-Key", key}, {"X-Fence-Token", std::string(presented)}};
    }
    void expect_replay(const Response& again, const Response& first, std::string_view fence) {
        EXPECT_EQ(again.status, first.status);
        EXPECT_EQ(again.body, first.body) << "to the byte";
        EXPECT_EQ(again.header("Content-Type"), first.header("Content-Type"));
        EXPECT_EQ(again.header("Location"), first.header("Location"));
        EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
        EXPECT_EQ(again.header("X-Fence-Status"), fence);
        EXPECT_NE(again.header("X-Request-Id"), first.header("X-Request-Id"));
        EXPECT_EQ(payment(id).json_int("amount_refunded"), 100);
    }

    const std::string id = create_payment();
    const Grant own = grant_payment(id);
    const std::string key = fresh("key");
};

TEST_F(Idempotency, AFinishedKeyReplaysItsAnswer) {
    const auto first = refund_again(fenced(own.token));
    ASSERT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(first.header_count("Idempotency-Replayed"), 0U);
    EXPECT_EQ(first.header_count("X-Fence-Status"), 0U);

    expect_replay(refund_again(fenced(own.token)), first, "live");
}

TEST_F(Idempotency, AReplayUnderADeadTokenSaysSo) {
    const auto first = refund_again(fenced(own.token));
    release(own);

    expect_replay(refund_again(fenced(own.token)), first, "stale");
}

TEST_F(Idempotency, ASuccessorMaySafelyRepeatItsPredecessorsCall) {
    const auto first = refund_again(fenced(own.token));
    release(own);
    const auto next = grant_payment(id);

    expect_replay(refund_again(fenced(next.token)), first, "stale");
}

TEST_F(Idempotency, AReplayOutlivesTheLeaseItWasMadeUnder) {
    release(own);
    const auto brief = grant("payments/" + id, 300);
    const auto first = refund_again(fenced(brief.token));
    ASSERT_EQ(first.status, 201) << first.body;
    await_end(brief, "expired");

    expect_replay(refund_again(fenced(brief.token)), first, "stale");
}

TEST_F(Idempotency, AHundredRetriesAtOnceMakeOneRefund) {
    const auto text = request_text(gateway(), "POST", "/v1/payments/" + id + "/refunds",
                                   fenced(own.token), R"({"amount":100})");
    std::vector<HttpsClient> clients;
    for (int at = 0; at < 100; ++at) {
        clients.push_back(gateway().client());
        clients.back().connect();
    }

    for (auto& one : clients) one.send_raw(text);
    std::set<std::string> bodies;
    int first = 0;
    int again = 0;
    int in_flight = 0;
    for (auto& one : clients) {
        const auto answer = one.read_response();
        if (answer.status == 409) {
            EXPECT_EQ(answer.json_text("code"), "idempotency_in_flight");
            ++in_flight;
            continue;
        }
        ASSERT_EQ(answer.status, 201) << answer.body;
        ++(answer.header_count("Idempotency-Replayed") == 0 ? first : again);
        bodies.insert(answer.body);
    }

    EXPECT_EQ(first, 1);
    EXPECT_EQ(again + in_flight, 99);
    EXPECT_EQ(bodies.size(), 1U);
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 100);
}

TEST_F(Idempotency, AReplayNeedsNoToken) {
    const auto first = refund_again(fenced(own.token));

    expect_replay(refund_again({{"Idempotency-Key", key}}), first, "live");
}

TEST_F(Idempotency, AReplayDoesNotMindAMalformedToken) {
    const auto first = refund_again(fenced(own.token));

    expect_replay(refund_again(fenced("nonsense")), first, "live");
}

TEST_F(Idempotency, AReplaySurvivesARestart) {
    const auto first = refund_again(fenced(own.token));

    client.close();
    gateway().restart();
    client = gateway().client();

    expect_replay(refund_again(fenced(own.token)), first, "live");
}

TEST_F(Idempotency, QuotedAndBareAreOneKey) {
    const auto first = refund_again(fenced(own.token));

    expect_replay(refund_again({{"Idempotency-Key", "\"" + key + "\""}}), first, "live");
}

TEST_F(Idempotency, OfACreateReplaysItsLocation) {
    const Headers headers{{"Idempotency-Key", fresh("key")}};
    constexpr std::string_view kBody = R"({"amount":500,"currency":"EUR"})";
    const auto first = client.request("POST", "/v1/payments", headers, kBody);
    ASSERT_EQ(first.status, 201) << first.body;

    const auto again = client.request("POST", "/v1/payments", headers, kBody);

    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.header("Location"), first.header("Location"));
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(again.header_count("X-Fence-Status"), 0U) << "it was made under no fence";
}

TEST_F(Idempotency, ARefusalByTheRulesIsFinalForItsKey) {
    const auto first = refund_again(fenced(own.token), R"({"amount":1001})");
    expect_problem(first, 422, "refund_exceeds_captured");

    const auto again = refund_again(fenced(own.token), R"({"amount":1001})");

    expect_problem(again, 422, "refund_exceeds_captured");
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(again.body, first.body);
}

TEST_F(Idempotency, ARefusalByTheFenceIsNotRemembered) {
    const auto next = [&] {
        release(own);
        return grant_payment(id);
    }();
    expect_problem(refund_again({{"Idempotency-Key", key}}), 428, "fence_token_required");
    expect_problem(refund_again(fenced("0")), 400, "fence_token_malformed");
    expect_problem(refund_again(fenced(own.token)), 412, "lease_released");

    const auto first = refund_again(fenced(next.token));

    EXPECT_EQ(first.status, 201) << first.body;
    EXPECT_EQ(first.header_count("Idempotency-Replayed"), 0U);
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 100);
}

TEST_F(Idempotency, AnotherBodyOrPathUnderTheSameKeyIsAMismatch) {
    ASSERT_EQ(refund_again(fenced(own.token)).status, 201);
    const auto other = create_payment();
    const auto other_grant = grant_payment(other);

    expect_problem(refund_again(fenced(own.token), R"({"amount":101})"), 422,
                   "idempotency_mismatch");
    expect_problem(move("refunds", other, fenced(other_grant.token), R"({"amount":100})"), 422,
                   "idempotency_mismatch");
    expect_problem(move("captures", id, fenced(own.token), R"({"amount":100})"), 422,
                   "idempotency_mismatch");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 100);
    EXPECT_EQ(payment(other).json_int("amount_refunded"), 0);
}

TEST_F(Idempotency, KeysOfTwoPrincipalsAreTwoKeys) {
    auto other = gateway().client(gateway().add_key("another", {"*"}));
    const Headers headers{{"Idempotency-Key", key}};
    constexpr std::string_view kBody = R"({"amount":500,"currency":"EUR"})";

    const auto mine = client.request("POST", "/v1/payments", headers, kBody);
    const auto theirs = other.request("POST", "/v1/payments", headers, kBody);

    EXPECT_EQ(mine.status, 201);
    EXPECT_EQ(theirs.status, 201);
    EXPECT_EQ(theirs.header_count("Idempotency-Replayed"), 0U);
    EXPECT_NE(mine.json_text("id"), theirs.json_text("id"));
}

TEST_F(Idempotency, IsRequiredOnEveryPaymentWrite) {
    const Headers unkeyed{{"X-Fence-Token", own.token}};

    expect_problem(client.request("POST", "/v1/payments", {}, R"({"amount":5,"currency":"EUR"})"),
                   400, "idempotency_key_required");
    for (const char* action : {"captures", "refunds", "cancel"}) {
        expect_problem(move(action, id, unkeyed), 400, "idempotency_key_required");
    }
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

struct KeyRow {
    const char* name;
    std::string key;
};

std::ostream& operator<<(std::ostream& out, const KeyRow& row) { return out << row.name; }

class MalformedKey : public GatewaySuite, public ::testing::WithParamInterface<KeyRow> {};

TEST_P(MalformedKey, IsRefusedOnPaymentsAndLocks) {
    const auto name = fresh("lock");
    const Headers headers{{"Idempotency-Key", GetParam().key}};

    expect_problem(
        client.request("POST", "/v1/payments", headers, R"({"amount":5,"currency":"EUR"})"), 400,
        "idempotency_key_malformed");
    expect_problem(acquire(name, {}, headers), 400, "idempotency_key_malformed");
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

INSTANTIATE_TEST_SUITE_P(Contract, MalformedKey,
                         ::testing::Values(KeyRow{"Empty", ""}, KeyRow{"EmptyQuoted", "\"\""},
                                           KeyRow{"Blank", "a b"}, KeyRow{"OpenQuote", "\"a"},
                                           KeyRow{"QuoteInside", "a\"b"},
                                           KeyRow{"TooLong", std::string(256, 'k')}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(Idempotency, SentTwiceIsRefused) {
    const auto twice = refund_again(
        {{"Idempotency-Key", key}, {"Idempotency-Key", key}, {"X-Fence-Token", own.token}});

    expect_problem(twice, 400, "bad_request");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

}  // namespace
}  // namespace fencegate::contract
