// Asking whether a token is good now, for effects that do not pass the gateway.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Verify : public GatewaySuite {
protected:
    Response verify(std::string_view lock, std::string_view token) {
        return get(filled("/v1/fence/verify?lock=$&token=$", lock, token));
    }
};

TEST_F(Verify, SaysYesToTheLiveTokenOfEveryLockOfItsLease) {
    const auto a = fresh("lock/a");
    const auto own = grant_of(acquire_all({a, fresh("lock/b")}));

    EXPECT_THAT(verify(a, own.token),
                Is(200,
                   R"({"live":true,"state":"live","lock":"$","fencing_token":$,)"
                   R"("current_token":$,"lease":{"lease_id":"$"}})",
                   a, own.token, own.token, own.lease_id));
}

TEST_F(Verify, SaysNoToATokenOfTheLocksPast) {
    const auto brief = grant(fresh("lock"), 100);
    await_end(brief, "expired");
    const auto no = [](std::string_view state, std::string_view current) {
        return Is(200, R"({"live":false,"state":"$","current_token":$})", state, current);
    };
    EXPECT_THAT(verify(brief.lock, brief.token), no("expired", R"("<absent>")"));

    const auto next = grant(brief.lock);
    EXPECT_THAT(verify(brief.lock, brief.token), no("superseded", next.token));
    release(next);
    EXPECT_THAT(verify(brief.lock, next.token), no("released", R"("<absent>")"));
}

TEST_F(Verify, SaysNoToATokenOfAnotherLockAndToOneThatWasNeverIssued) {
    const auto own = grant(fresh("lock"));
    const auto other = grant(fresh("lock"));

    EXPECT_THAT(
        verify(own.lock, other.token),
        Is(200, R"({"live":false,"current_token":$,"lease":{"lock":"$"}})", own.token, other.lock));
    EXPECT_THAT(verify(own.lock, "4711"),
                Is(200, R"({"live":false,"state":"unknown","lease":"<absent>"})"));
}

TEST_F(Verify, RefusesWhatIsNoToken) {
    for (const auto* token : {"0", "-1", "01", "x", "", "9007199254740992"})
        EXPECT_THAT(verify("lock", token), Refused(400, "fence_token_malformed")) << token;
}

}  // namespace
}  // namespace fencegate::contract
