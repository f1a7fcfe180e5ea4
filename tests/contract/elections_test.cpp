// Elections: one leader at a time, what it says, and writes that only the leader of now may make.
#include "tests/contract/watcher.hpp"

namespace fencegate::contract {
namespace {

class Election : public GatewaySuite {
protected:
    Response campaign(std::string_view body = {}) { return post(path, body); }
    Response proclaim(std::string_view token, std::string_view body) {
        return put(path, body, fence(token));
    }
    Response resign(std::string_view token) { return remove(path, fence(token)); }
    Response election() { return get(path); }

    const std::string name = fresh("scheduler");
    const std::string path = "/v1/elections/" + name;
};

TEST_F(Election, IsVacantUntilSomebodyCampaigns) {
    EXPECT_THAT(election(), Is(200, R"({"state":"vacant","leader":"<absent>"})"));

    const auto won = campaign(R"({"owner":"node-1","value":{"addr":"10.0.0.1:80"}})");

    EXPECT_THAT(won, Granted(won, R"({"lock":"elections/$"})", name));
    const auto leader = grant_of(won);
    EXPECT_THAT(election(), Is(200,
                               R"({"election":"$","state":"led","candidates":0,)"
                               R"("leader":{"owner":"node-1","fencing_token":$},)"
                               R"("value":{"addr":"10.0.0.1:80"},"proclaimed_at":"<time>"})",
                               name, leader.token));
    break_lock(leader);
    EXPECT_THAT(election(), Is(200, R"({"state":"vacant"})")) << "its leader was deposed";
}

TEST_F(Election, HasOneLeaderAndTheOthersWaitOrAreRefused) {
    const auto leader = grant_of(campaign(R"({"ttl_ms":60000,"owner":"node-1"})"));
    auto waiting = begin("POST", path, R"({"wait_ms":60000,"ttl_ms":60000,"owner":"node-2"})");
    await_waiters("elections/" + name, 1);

    EXPECT_THAT(campaign(), Refused(423, "lock_held"));
    EXPECT_THAT(election(), Is(200, R"({"candidates":1})"));
    EXPECT_THAT(resign(leader.token), Is(204));

    EXPECT_THAT(waiting.read_response(),
                Is(201, R"({"fencing_token":"<$..>"})", std::stoll(leader.token) + 1));
    EXPECT_THAT(resign(leader.token), Is(204).with("Idempotency-Replayed", "true"))
        << "it has resigned, which is all that is asked for";
    EXPECT_THAT(election(), Is(200, R"({"leader":{"owner":"node-2"}})"));
}

TEST_F(Election, DoesNotShowAnEarlierLeadersValueForTheNewOne) {
    const auto first = grant_of(campaign(R"({"value":{"n":1}})"));
    ASSERT_THAT(resign(first.token), Is(204));
    const auto second = grant_of(campaign());

    EXPECT_THAT(proclaim(first.token, R"({"value":{"n":9}})"), Refused(412, "lease_released"));
    EXPECT_THAT(election(), Is(200, R"({"state":"led","value":"<absent>"})"));

    EXPECT_THAT(proclaim(second.token, R"({"value":{"n":2}})"), Is(200, R"({"value":{"n":2}})"));
    EXPECT_THAT(election(), Is(200, R"({"value":{"n":2}})"));
}

TEST_F(Election, IsSpokenForByItsLeaderOnly) {
    const auto leader = grant_of(campaign());
    const auto other = grant(fresh("lock"));
    auto mallory = as("mallory");

    EXPECT_THAT(put(path, R"({"value":{}})"), Refused(428, "fence_token_required"));
    EXPECT_THAT(proclaim("x", R"({"value":{}})"), Refused(400, "fence_token_malformed"));
    EXPECT_THAT(proclaim(other.token, R"({"value":{}})"), Refused(412, "fence_lock_mismatch"));
    for (const auto* body : {"{}", R"({"value":[1]})"})
        EXPECT_THAT(proclaim(leader.token, body), Refused(400, "invalid_argument")) << body;
    EXPECT_THAT(mallory.request("PUT", path, fence(leader.token), R"({"value":{"n":6}})"),
                Refused(403, "fence_not_holder"));
    EXPECT_THAT(mallory.request("DELETE", path, fence(leader.token)),
                Refused(403, "fence_not_holder"));
    EXPECT_THAT(election(), Is(200, R"({"state":"led","value":"<absent>"})"));
}

TEST_F(Election, FencesTheLeadersWrites) {
    const auto id = create_payment();
    const auto body = filled(R"({"wait_ms":60000,"ttl_ms":60000,"locks":["payments/$"]})", id);
    const auto leader = grant_of(campaign(body));
    EXPECT_THAT(refund(id, leader.token, 100), Is(201));
    auto next = begin("POST", path, body);
    await_waiters("elections/" + name, 1);

    ASSERT_THAT(resign(leader.token), Is(204));

    const auto successor = grant_of(next.read_response());
    EXPECT_THAT(refund(id, leader.token, 100), Refused(412, "lease_released"));
    EXPECT_THAT(refund(id, successor.token, 100), Is(201));
    EXPECT_EQ(refunded(id), 200);
}

TEST_F(Election, HasAPlainNameAndAStrictBody) {
    for (const auto* more : {"", "/observe"})
        EXPECT_THAT(get(filled("/v1/elections/a,b$", more)), Refused(400, "invalid_lock_name"));
    EXPECT_THAT(get("/v1/elections/a/b"), Refused(404, "not_found"));
    EXPECT_THAT(campaign(R"({"mode":"shared"})"), Refused(400, "invalid_json"));
    for (const auto& body :
         Texts{R"({"value":"text"})", filled(R"({"locks":["elections/$"]})", name)})
        EXPECT_THAT(campaign(body), Refused(400, "invalid_argument")) << body;
    EXPECT_THAT(election(), Is(200, R"({"state":"vacant"})"));
}

// Observed: its state first, then what happens to it.
using Observe = Election;

TEST_F(Observe, BeginsWithTheElectionAsItStands) {
    const auto leader = grant_of(campaign(R"({"owner":"node-1","value":{"n":1}})"));

    EXPECT_THAT(Watcher(gateway(), path + "/observe").next(),
                IsEvent("state", R"({"state":"led","leader":{"fencing_token":$},"value":{"n":1}})",
                        leader.token));
}

TEST_F(Observe, TellsWhoIsElectedWhatIsProclaimedAndWhoResignsAndNothingOfOthers) {
    Watcher observer(gateway(), path + "/observe");
    ASSERT_EQ(observer.next().name, "state");

    post(path + "-2");
    const auto leader = grant_of(campaign(R"({"owner":"node-1","value":{"n":1}})"));
    const auto token = fence(leader.token);
    put(path, R"({"value":{"n":2}})", token);
    remove(path, token);
    put(path, R"({"value":{"n":3}})", token);

    EXPECT_THAT(observer.next(), IsEvent("granted", R"({"lock":"elections/$"})", name));
    EXPECT_THAT(observer.next(), IsEvent("proclaimed", R"({"value":{"n":1}})"));
    EXPECT_THAT(observer.next(), IsEvent("proclaimed", R"({"value":{"n":2}})"));
    EXPECT_THAT(observer.next(), IsEvent("released"));
    EXPECT_THAT(observer.next(), IsEvent("refused", R"({"code":"lease_released"})"));
}

}  // namespace
}  // namespace fencegate::contract
