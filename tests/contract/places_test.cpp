// Places in line over the wire: a client that asks in rounds, or behind a load balancer that cuts
// every wait, is served in its turn.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kPatient = R"({"owner":"ann","wait_ms":60000,"ttl_ms":60000})";
constexpr std::string_view kLater = R"({"owner":"bob","wait_ms":60000,"ttl_ms":60000})";

class Places : public GatewaySuite {
protected:
    // Waits as the `place`th under the suite's key.
    HttpsClient keyed(std::string_view lock, std::int64_t place, std::string_view body = kPatient) {
        auto waiting = begin("POST", "/v1/locks/" + std::string(lock), body, key);
        await_waiters(lock, place);
        return waiting;
    }
    // The first is granted while the other still waits, which then is.
    void expect_served(HttpsClient& first, HttpsClient& then) {
        release(grant_of(first.read_response()));
        EXPECT_THAT(then.read_response(), Is(201));
    }

    const Headers key{{"Idempotency-Key", fresh("key")}};
};

TEST_F(Places, OfAClientThatAsksInRoundsAreBeforeWhoCameLater) {
    constexpr std::string_view kRound = R"({"owner":"ann","wait_ms":200})";
    const auto own = grant(fresh("lock"));
    auto first = keyed(own.lock, 1, kRound);
    auto later = stand_in_line(own.lock, 2, kLater);

    EXPECT_THAT(
        first.read_response(),
        Refused(423, "lock_held", R"({"waiters_ahead":0,"position":1,"place_kept_ms":5000})")
            .with("Retry-After", "1"));
    auto again = keyed(own.lock, 2, kRound);
    release(own);

    expect_served(again, later);
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

    expect_served(waiting, later);
}

TEST_F(Places, OfWhoIsAwayAreShownAndHoldNobodyUp) {
    const auto own = grant(fresh("lock"));
    auto gone = keyed(own.lock, 1);
    auto later = stand_in_line(own.lock, 2, kLater);
    gone.close();
    await_waiters(own.lock, 1);

    EXPECT_THAT(lock(own.lock),
                Is(200, R"({"waiters_away":1,"line":[{"owner":"ann","place_kept_ms":"<1..>"},)"
                        R"({"owner":"bob","position":2}]})"));
    release(own);

    EXPECT_THAT(later.read_response(), Is(201));
}

TEST_F(Places, AreTakenUpByTheSameRequestOfTheSamePrincipalOnly) {
    const auto own = grant(fresh("lock"));
    auto gone = keyed(own.lock, 1);
    gone.close();
    await_waiters(own.lock, 0);

    EXPECT_THAT(acquire(own.lock, R"({"owner":"ann","wait_ms":60000,"ttl_ms":1000})", key),
                Refused(422, "idempotency_mismatch"));
    EXPECT_THAT(as("stranger")
                    .request("POST", "/v1/locks/" + own.lock, key,
                             R"({"owner":"ann","wait_ms":50,"ttl_ms":60000})"),
                Refused(423, "lock_held", R"({"position":2})"))
        << "behind the place that is not its own";
    EXPECT_THAT(lock(own.lock), Is(200, R"({"waiters_away":"<1..>"})"));
}

TEST_F(Places, OfCandidatesAreKeptToo) {
    const auto election = "elections/" + fresh("election");
    const auto path = "/v1/" + election;
    const auto leader = grant_of(post(path, R"({"owner":"node-1","ttl_ms":60000})"));
    auto first = begin("POST", path, R"({"owner":"node-2","wait_ms":60000})", key);
    await_waiters(election, 1);
    auto later = begin("POST", path, R"({"owner":"node-3","wait_ms":60000})");
    await_waiters(election, 2);
    first.abort_connection();
    await_waiters(election, 1);

    auto again = begin("POST", path, R"({"owner":"node-2","wait_ms":60000})", key);
    await_waiters(election, 2);
    remove(path, fence(leader.token));

    EXPECT_THAT(again.read_response(), Is(201));
}

}  // namespace
}  // namespace fencegate::contract
