// Asking whether a token is good now, for effects that do not pass the gateway.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Verify : public GatewaySuite {
protected:
    Response verify(std::string_view lock, std::string_view token) {
        return get("/v1/fence/verify?lock=" + std::string(lock) + "&token=" + std::string(token));
    }
};

TEST_F(Verify, SaysYesToTheLiveTokenOfTheLock) {
    const auto own = grant(fresh("lock"));

    const auto answer = verify(own.lock, own.token);

    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(answer.json_bool("live"));
    EXPECT_EQ(answer.json_text("state"), "live");
    EXPECT_EQ(answer.json_text("lock"), own.lock);
    EXPECT_EQ(std::to_string(answer.json_int("fencing_token")), own.token);
    EXPECT_EQ(std::to_string(answer.json_int("current_token")), own.token);
    EXPECT_EQ(answer.json_text("/lease/lease_id"), own.lease_id);
}

TEST_F(Verify, SaysNoToATokenOfTheLocksPast) {
    const auto brief = grant(fresh("lock"), 100);
    await_end(brief, "expired");
    const auto expired = verify(brief.lock, brief.token);

    const auto next = grant(brief.lock);
    const auto superseded = verify(brief.lock, brief.token);
    release(next);
    const auto released = verify(brief.lock, next.token);

    EXPECT_FALSE(expired.json_bool("live"));
    EXPECT_EQ(expired.json_text("state"), "expired");
    EXPECT_FALSE(expired.has("current_token"));
    EXPECT_FALSE(superseded.json_bool("live"));
    EXPECT_EQ(superseded.json_text("state"), "superseded");
    EXPECT_EQ(std::to_string(superseded.json_int("current_token")), next.token);
    EXPECT_FALSE(released.json_bool("live"));
    EXPECT_EQ(released.json_text("state"), "released");
}

TEST_F(Verify, SaysNoToATokenOfAnotherLock) {
    const auto own = grant(fresh("lock"));
    const auto other = grant(fresh("lock"));

    const auto answer = verify(own.lock, other.token);

    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.json_bool("live"));
    EXPECT_EQ(std::to_string(answer.json_int("current_token")), own.token);
    EXPECT_EQ(answer.json_text("/lease/lock"), other.lock);
}

TEST_F(Verify, SaysNoToReadersAndToSemaphores) {
    const auto reader = grant_of(acquire(fresh("lock"), R"({"mode":"shared"})"));
    const auto counted = grant_of(acquire(fresh("lock"), R"({"permits":1})"));

    EXPECT_FALSE(verify(reader.lock, reader.token).json_bool("live"));
    EXPECT_EQ(verify(reader.lock, reader.token).json_text("state"), "live");
    EXPECT_FALSE(verify(counted.lock, counted.token).json_bool("live"));
}

TEST_F(Verify, KnowsEveryLockOfALease) {
    const auto a = fresh("lock/a");
    const auto b = fresh("lock/b");
    const auto both = grant_of(
        client.request("POST", "/v1/leases", {}, R"({"locks":[")" + a + R"(",")" + b + R"("]})"));

    EXPECT_TRUE(verify(a, both.token).json_bool("live"));
    EXPECT_TRUE(verify(b, both.token).json_bool("live"));
}

TEST_F(Verify, SaysUnknownOfATokenThatWasNeverIssued) {
    const auto answer = verify(fresh("lock"), "4711");

    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.json_bool("live"));
    EXPECT_EQ(answer.json_text("state"), "unknown");
    EXPECT_FALSE(answer.has("lease"));
}

TEST_F(Verify, RefusesWhatIsNoTokenOrNoLock) {
    for (const auto* token : {"0", "-1", "01", "x", "", "9007199254740992"}) {
        SCOPED_TRACE(token);
        expect_problem(verify("lock", token), 400, "fence_token_malformed");
    }
    expect_problem(get("/v1/fence/verify?token=1"), 400, "invalid_argument");
    expect_problem(get("/v1/fence/verify?lock=a"), 400, "fence_token_malformed");
    expect_problem(get("/v1/fence/verify?lock=a&token=1&now=1"), 400, "invalid_argument");
}

}  // namespace
}  // namespace fencegate::contract
