// Observing an election: its state first, then what happens to it.
#include "tests/contract/watcher.hpp"

namespace fencegate::contract {
namespace {

class Observe : public GatewaySuite {
protected:
    Response campaign(std::string_view body = {}) { return post(path, body); }

    const std::string name = fresh("scheduler");
    const std::string path = "/v1/elections/" + name;
};

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
