// Observing an election: its state first, then what happens to it.
#include "tests/contract/watcher.hpp"

namespace fencegate::contract {
namespace {

class Observe : public GatewaySuite {
protected:
    Response campaign(std::string_view body = {}) { return client.request("POST", path, {}, body); }
    Watcher observe() { return Watcher(gateway(), path + "/observe"); }

    const std::string name = fresh("scheduler");
    const std::string path = "/v1/elections/" + name;
};

TEST_F(Observe, BeginsWithTheElectionAsItStands) {
    const auto leader = campaign(R"({"owner":"node-1","value":{"n":1}})");

    auto observer = observe();

    const auto state = observer.next();
    EXPECT_EQ(state.name, "state");
    EXPECT_EQ(state.data.json_text("state"), "led");
    EXPECT_EQ(state.data.json_int("/leader/fencing_token"), leader.json_int("fencing_token"));
    EXPECT_EQ(state.data.json_int("/value/n"), 1);
}

TEST_F(Observe, TellsWhoIsElectedWhatIsProclaimedAndWhoResigns) {
    auto observer = observe();
    ASSERT_EQ(observer.next().name, "state");

    const auto leader = grant_of(campaign(R"({"owner":"node-1","value":{"n":1}})"));
    const Headers token{{"X-Fence-Token", leader.token}};
    client.request("PUT", path, token, R"({"value":{"n":2}})");
    client.request("DELETE", path, token);
    client.request("PUT", path, token, R"({"value":{"n":3}})");

    EXPECT_EQ(observer.next().name, "granted");
    EXPECT_EQ(observer.next().data.json_int("/value/n"), 1);
    const auto proclaimed = observer.next();
    EXPECT_EQ(proclaimed.name, "proclaimed");
    EXPECT_EQ(proclaimed.data.json_int("/value/n"), 2);
    EXPECT_EQ(observer.next().name, "released");
    const auto refused = observer.next();
    EXPECT_EQ(refused.name, "refused");
    EXPECT_EQ(refused.data.json_text("code"), "lease_released");
}

TEST_F(Observe, TellsNothingOfOtherElections) {
    auto observer = observe();
    ASSERT_EQ(observer.next().name, "state");

    client.request("POST", path + "-2");
    campaign();

    const auto event = observer.next();
    EXPECT_EQ(event.name, "granted");
    EXPECT_EQ(event.data.json_text("lock"), "elections/" + name);
}

TEST_F(Observe, TakesNoNameThatCannotBe) {
    auto refused = client.request("GET", "/v1/elections/a,b/observe");

    expect_problem(refused, 400, "invalid_lock_name");
}

}  // namespace
}  // namespace fencegate::contract
