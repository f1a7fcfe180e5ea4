// Places in line over the wire: a client that asks in rounds, or behind a load balancer that cuts
// every wait, is served in its turn.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kPatient = R"({"owner":"ann","wait_ms":60000,"ttl_ms":60000})";
constexpr std::string_view kLater = R"({"owner":"bob","wait_ms":60000,"ttl_ms":60000})";

class Places : public GatewaySuite {
protected:
    static void SetUpTestSuite() {
        start("[class.brief]\nplace_kept = \"100ms\"\n\n[class.never]\nplace_kept = \"0ms\"\n");
    }

    // Waits as the `place`th under the suite's key.
    HttpsClient keyed(std::string_view lock, std::int64_t place, std::string_view body = kPatient) {
        auto waiting = begin("POST", "/v1/locks/" + std::string(lock), body, key);
        await_waiters(lock, place);
        return waiting;
    }

    const Headers key{{"Idempotency-Key", fresh("key")}};
};

TEST_F(Places, OfAClientThatAsksInRoundsAreBeforeWhoCameLater) {
    constexpr std::string_view kRound = R"({"owner":"ann","wait_ms":200})";
    const auto own = grant(fresh("lock"));
    auto first = keyed(own.lock, 1, kRound);
    auto later = stand_in_line(own.lock, 2, kLater);

    const auto over = first.read_response();
    expect_problem(over, 423, "lock_held");
    EXPECT_EQ(over.json_int("waiters_ahead"), 0);
    EXPECT_EQ(over.json_int("position"), 1);
    EXPECT_EQ(over.json_int("place_kept_ms"), 5'000);
    EXPECT_EQ(over.header("Retry-After"), "1");
    auto again = keyed(own.lock, 2, kRound);
    release(own);

    const auto granted = again.read_response();
    EXPECT_EQ(granted.status, 201) << granted.body;
    release(grant_of(granted));
    EXPECT_EQ(later.read_response().status, 201);
}

TEST_F(Places, OfAClientWhoseConnectionIsCutAreBeforeWhoCameLater) {
    const auto own = grant(fresh("lock"));
    auto waiting = keyed(own.lock, 1);
    auto later = stand_in_line(own.lock, 2, kLater);
    for (int cut = 0; cut < 5; ++cut) {
        waiting.abort_connection();
        await_waiters(own.lock, 1);
        waiting = keyed(own.lock, 2);
    }

    release(own);

    const auto granted = waiting.read_response();
    EXPECT_EQ(granted.status, 201) << granted.body;
    release(grant_of(granted));
    EXPECT_EQ(later.read_response().status, 201);
}

TEST_F(Places, OfWhoIsAwayAreShownAndHoldNobodyUp) {
    const auto own = grant(fresh("lock"));
    auto gone = keyed(own.lock, 1);
    auto later = stand_in_line(own.lock, 2, kLater);
    gone.close();
    await_waiters(own.lock, 1);

    const auto shown = lock(own.lock);
    EXPECT_EQ(shown.json_int("waiters_away"), 1);
    ASSERT_EQ(shown.json_size("line"), 2U);
    EXPECT_EQ(shown.json_text("/line/0/owner"), "ann");
    EXPECT_GT(shown.json_int("/line/0/place_kept_ms"), 0);
    EXPECT_EQ(shown.json_int("/line/1/position"), 2);
    release(own);

    EXPECT_EQ(later.read_response().status, 201);
}

TEST_F(Places, AreLostAfterASpanThatTheClassSets) {
    const auto own = grant(fresh("brief/lock"));
    auto gone = keyed(own.lock, 1);
    auto later = stand_in_line(own.lock, 2, kLater);
    gone.close();
    await_waiters(own.lock, 1);
    ASSERT_TRUE(eventually("the place is lost",
                           [&] { return !contains(lock(own.lock).body, "waiters_away"); }));

    auto again = keyed(own.lock, 2);
    release(own);

    const auto granted = later.read_response();
    EXPECT_EQ(granted.status, 201) << granted.body;
    release(grant_of(granted));
    EXPECT_EQ(again.read_response().status, 201);
}

TEST_F(Places, AreNotKeptWhereTheClassSaysSo) {
    const auto own = grant(fresh("never/lock"));

    const auto over = acquire(own.lock, R"({"owner":"ann","wait_ms":50})", key);

    expect_problem(over, 423, "lock_held");
    EXPECT_FALSE(contains(over.body, "place_kept_ms"));
    EXPECT_FALSE(contains(lock(own.lock).body, "waiters_away"));
}

TEST_F(Places, AreTakenUpByTheSameRequestOnly) {
    const auto own = grant(fresh("lock"));
    auto gone = keyed(own.lock, 1);
    gone.close();
    await_waiters(own.lock, 0);

    expect_problem(acquire(own.lock, R"({"owner":"ann","wait_ms":60000,"ttl_ms":1000})", key), 422,
                   "idempotency_mismatch");

    EXPECT_EQ(lock(own.lock).json_int("waiters_away"), 1);
}

TEST_F(Places, AreTakenUpByTheSamePrincipalOnly) {
    const auto own = grant(fresh("lock"));
    auto gone = keyed(own.lock, 1);
    gone.close();
    await_waiters(own.lock, 0);
    auto stranger = gateway().client(gateway().add_key(fresh("stranger"), {"*"}));

    const auto tried = stranger.request("POST", "/v1/locks/" + own.lock, key,
                                        R"({"owner":"ann","wait_ms":50,"ttl_ms":60000})");

    expect_problem(tried, 423, "lock_held");
    EXPECT_EQ(tried.json_int("position"), 2) << "behind the place that is not its own";
}

TEST_F(Places, OfCandidatesAndClaimsAreKeptToo) {
    const auto election = fresh("election");
    const auto path = "/v1/elections/" + election;
    const auto led = client.request("POST", path, {}, R"({"owner":"node-1","ttl_ms":60000})");
    ASSERT_EQ(led.status, 201) << led.body;
    auto first = begin("POST", path, R"({"owner":"node-2","wait_ms":60000})", key);
    await_waiters("elections/" + election, 1);
    auto later = begin("POST", path, R"({"owner":"node-3","wait_ms":60000})");
    await_waiters("elections/" + election, 2);
    first.abort_connection();
    await_waiters("elections/" + election, 1);

    auto again = begin("POST", path, R"({"owner":"node-2","wait_ms":60000})", key);
    await_waiters("elections/" + election, 2);
    client.request("DELETE", path, {{"X-Fence-Token", led.header("X-Fence-Token")}});

    const auto granted = again.read_response();
    EXPECT_EQ(granted.status, 201) << granted.body;
}

}  // namespace
}  // namespace fencegate::contract
