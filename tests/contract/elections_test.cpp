// Elections: one leader at a time, what it says, and writes that only the leader of now may make.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Election : public GatewaySuite {
protected:
    Response campaign(std::string_view body = {}) { return client.request("POST", path, {}, body); }
    Response proclaim(std::string_view token, std::string_view body) {
        return client.request("PUT", path, {{"X-Fence-Token", std::string(token)}}, body);
    }
    Response resign(std::string_view token) {
        return client.request("DELETE", path, {{"X-Fence-Token", std::string(token)}});
    }
    // A candidate that waits for its turn, as the `place`th.
    HttpsClient candidate(std::int64_t place, std::string_view body) {
        auto waiting = begin("POST", path, body);
        await_waiters("elections/" + name, place);
        return waiting;
    }
    Response election() { return get(path); }

    const std::string name = fresh("scheduler");
    const std::string path = "/v1/elections/" + name;
};

TEST_F(Election, IsVacantUntilSomebodyCampaigns) {
    const auto vacant = election();
    const auto won = campaign(R"({"owner":"node-1","value":{"addr":"10.0.0.1:80"}})");
    const auto led = election();

    ASSERT_EQ(vacant.status, 200) << vacant.body;
    EXPECT_EQ(vacant.json_text("state"), "vacant");
    EXPECT_FALSE(vacant.has("leader"));
    ASSERT_EQ(won.status, 201) << won.body;
    EXPECT_EQ(won.json_text("lock"), "elections/" + name);
    EXPECT_EQ(won.header("X-Fence-Token"), std::to_string(won.json_int("fencing_token")));
    EXPECT_EQ(won.header("Location"), "/v1/leases/" + won.json_text("lease_id"));
    EXPECT_EQ(led.json_text("election"), name);
    EXPECT_EQ(led.json_text("state"), "led");
    EXPECT_EQ(led.json_text("/leader/owner"), "node-1");
    EXPECT_EQ(led.json_int("/leader/fencing_token"), won.json_int("fencing_token"));
    EXPECT_EQ(led.json_text("/value/addr"), "10.0.0.1:80");
    EXPECT_TRUE(led.json_text("proclaimed_at").ends_with('Z'));
    EXPECT_EQ(led.json_int("candidates"), 0);
}

TEST_F(Election, HasOneLeaderAndTheOthersWaitOrAreRefused) {
    const auto leader = grant_of(campaign(R"({"ttl_ms":60000,"owner":"node-1"})"));
    auto waiting = candidate(1, R"({"wait_ms":60000,"ttl_ms":60000,"owner":"node-2"})");

    expect_problem(campaign(), 423, "lock_held");
    EXPECT_EQ(election().json_int("candidates"), 1);
    EXPECT_EQ(resign(leader.token).status, 204);

    const auto next = grant_of(waiting.read_response());
    EXPECT_GT(std::stoll(next.token), std::stoll(leader.token));
    EXPECT_EQ(election().json_text("/leader/owner"), "node-2");
    const auto again = resign(leader.token);
    EXPECT_EQ(again.status, 204) << "it has resigned, which is all that is asked for";
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(election().json_text("/leader/owner"), "node-2");
}

TEST_F(Election, IsWonByTheNextWhenTheLeaderGoesSilent) {
    const auto silent = grant_of(campaign(R"({"ttl_ms":100})"));

    const auto next = grant_of(campaign(R"({"wait_ms":10000})"));

    EXPECT_GT(std::stoll(next.token), std::stoll(silent.token));
    expect_problem(proclaim(silent.token, R"({"value":{"n":1}})"), 412, "fence_token_stale");
    expect_problem(resign(silent.token), 412, "fence_token_stale");
    EXPECT_EQ(std::to_string(election().json_int("/leader/fencing_token")), next.token);
}

TEST_F(Election, ShowsWhatItsLeaderProclaimedLast) {
    const auto leader = grant_of(campaign(R"({"value":{"n":1}})"));

    const auto said = proclaim(leader.token, R"({"value":{"n":2}})");

    ASSERT_EQ(said.status, 200) << said.body;
    EXPECT_EQ(said.json_int("/value/n"), 2);
    EXPECT_EQ(election().json_int("/value/n"), 2);
}

TEST_F(Election, DoesNotShowAnEarlierLeadersValueForTheNewOne) {
    const auto first = grant_of(campaign(R"({"value":{"n":1}})"));
    ASSERT_EQ(resign(first.token).status, 204);
    EXPECT_FALSE(election().has("value"));

    const auto second = grant_of(campaign());

    EXPECT_EQ(election().json_text("state"), "led");
    EXPECT_FALSE(election().has("value"));
    expect_problem(proclaim(first.token, R"({"value":{"n":9}})"), 412, "lease_released");
    EXPECT_FALSE(election().has("value"));
    ASSERT_EQ(proclaim(second.token, R"({"value":{"n":2}})").status, 200);
    EXPECT_EQ(election().json_int("/value/n"), 2);
}

TEST_F(Election, IsSpokenForByItsLeaderOnly) {
    const auto leader = grant_of(campaign());
    const auto other = grant(fresh("lock"));
    auto mallory = gateway().client(gateway().add_key("mallory", {"*"}));

    expect_problem(client.request("PUT", path, {}, R"({"value":{}})"), 428, "fence_token_required");
    expect_problem(proclaim("x", R"({"value":{}})"), 400, "fence_token_malformed");
    expect_problem(proclaim(other.token, R"({"value":{}})"), 412, "fence_lock_mismatch");
    expect_problem(proclaim(leader.token, "{}"), 400, "invalid_argument");
    expect_problem(proclaim(leader.token, R"({"value":[1]})"), 400, "invalid_argument");
    expect_problem(
        mallory.request("PUT", path, {{"X-Fence-Token", leader.token}}, R"({"value":{"n":6}})"),
        403, "fence_not_holder");
    expect_problem(mallory.request("DELETE", path, {{"X-Fence-Token", leader.token}}), 403,
                   "fence_not_holder");
    EXPECT_FALSE(election().has("value"));
    EXPECT_EQ(election().json_text("state"), "led");
}

TEST_F(Election, FencesTheLeadersWrites) {
    const auto id = create_payment();
    const auto body = R"({"ttl_ms":60000,"locks":["payments/)" + id + R"("]})";
    const auto leader = grant_of(campaign(body));
    EXPECT_EQ(refund(id, leader.token, 100).status, 201);
    auto next = begin("POST", path, R"({"wait_ms":60000,)" + body.substr(1));
    await_waiters("elections/" + name, 1);

    ASSERT_EQ(resign(leader.token).status, 204);

    const auto successor = grant_of(next.read_response());
    expect_problem(refund(id, leader.token, 100), 412, "lease_released");
    EXPECT_EQ(refund(id, successor.token, 100).status, 201);
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 200);
}

TEST_F(Election, DeposesALeaderThatWasBrokenAndItsWritesWithIt) {
    const auto id = create_payment();
    const auto leader = grant_of(campaign(R"({"locks":["payments/)" + id + R"("]})"));

    break_lock(leader);

    EXPECT_EQ(election().json_text("state"), "vacant");
    expect_problem(refund(id, leader.token, 100), 412, "lease_broken");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

TEST_F(Election, KeepsItsLeaderAndValueOverARestart) {
    const auto leader = grant_of(campaign(R"({"value":{"n":1}})"));

    client.close();
    gateway().restart();
    client = gateway().client();

    EXPECT_EQ(std::to_string(election().json_int("/leader/fencing_token")), leader.token);
    EXPECT_EQ(election().json_int("/value/n"), 1);
}

TEST_F(Election, HasAPlainNameAndAStrictBody) {
    expect_problem(get("/v1/elections/a,b"), 400, "invalid_lock_name");
    expect_problem(get("/v1/elections/a/b"), 404, "not_found");
    expect_problem(campaign(R"({"mode":"shared"})"), 400, "invalid_json");
    expect_problem(campaign(R"({"value":"text"})"), 400, "invalid_argument");
    expect_problem(campaign(R"({"locks":["elections/)" + name + R"("]})"), 400, "invalid_argument");
    EXPECT_EQ(election().json_text("state"), "vacant");
}

}  // namespace
}  // namespace fencegate::contract
