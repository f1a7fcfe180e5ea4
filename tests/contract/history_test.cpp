// The history of a lock: who held it, how it ended, and who wrote too late.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class History : public GatewaySuite {
protected:
    Response history(std::string_view lock, std::string_view more = "") {
        return get(filled("/v1/history?lock=$$", lock, more));
    }
};

TEST_F(History, SaysWhoHeldTheLockAndHowItEnded) {
    const auto name = fresh("lock");
    const auto released = grant_of(acquire(name, R"({"owner":"ann"})"));
    release(released);
    const auto expired = grant(name, 100);
    await_end(expired, "expired");
    const auto broken = grant(name);
    break_lock(broken);
    const auto living = grant(name);

    EXPECT_THAT(history(name),
                Is(200,
                   R"({"lock":"$","has_more":false,"data":[)"
                   R"({"fencing_token":$,"state":"live","ended_at":"<absent>"},)"
                   R"({"fencing_token":$,"state":"broken","break_reason":"a test says so"},)"
                   R"({"fencing_token":$,"state":"superseded","break_reason":"<absent>"},)"
                   R"({"lease_id":"$","state":"released","owner":"ann","principal":"<text>",)"
                   R"("ended_at":"<text>","refused_writes":0}]})",
                   name, living.token, broken.token, expired.token, released.lease_id));
}

TEST_F(History, SaysWhichStaleWritesWereRefused) {
    const auto id = create_payment();
    const auto stale = grant("payments/" + id, 100);
    await_end(stale, "expired");
    const auto current = grant_of(acquire(stale.lock, R"({"owner":"successor"})"));

    const auto refused = refund(id, stale.token, 100);

    EXPECT_THAT(refused, Refused(412, "fence_token_stale"));
    EXPECT_THAT(
        history(stale.lock),
        Is(200,
           R"({"data":[{"refused_writes":0},{"principal":"default",)"
           R"("refused_writes":1,"refusals":[{"code":"fence_token_stale",)"
           R"("principal":"default","route":"/v1/payments/{id}/refunds",)"
           R"("request_id":"$","late_ms":$,"current_token":$,)"
           R"("current_owner":"successor","at":"<time>"}]}]})",
           refused.json_text("request_id"), refused.json_int("ended_ms_ago"), current.token));
}

TEST_F(History, NamesTheStrangerWhoTriedAForeignToken) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    EXPECT_THAT(as("mallory").request("POST", "/v1/payments/" + id + "/refunds", fenced(own.token),
                                      R"({"amount":1})"),
                Refused(403, "fence_not_holder"));

    EXPECT_THAT(history(own.lock), Is(200, R"({"data":[{"refusals":[{"principal":"mallory",)"
                                           R"("code":"fence_not_holder","late_ms":0}]}]})"));
}

TEST_F(History, CountsEveryRefusedWriteAndShowsTheFirstTwenty) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    release(own);

    for (int write = 0; write < 25; ++write)
        EXPECT_THAT(refund(id, own.token, 1), Refused(412, "lease_released"));

    const auto page = history(own.lock);
    EXPECT_EQ(page.json_int("/data/0/refused_writes"), 25);
    EXPECT_EQ(page.json_size("/data/0/refusals"), 20U);
}

TEST_F(History, ComesInPagesFromTheNewestOn) {
    const auto name = fresh("lock");
    std::vector<Grant> grants;
    for (int round = 0; round < 3; ++round) {
        grants.push_back(grant(name));
        release(grants.back());
    }

    const auto first = history(name, "&limit=2");
    EXPECT_THAT(first,
                Is(200, R"({"data":[{"fencing_token":$},{"fencing_token":$}],"has_more":true})",
                   grants[2].token, grants[1].token));
    EXPECT_THAT(history(name, "&limit=2&cursor=" + first.json_text("next_cursor")),
                Is(200, R"({"data":[{"fencing_token":$}],"has_more":false})", grants[0].token));
}

TEST_F(History, OfALeaseOverTwoLocksIsInBothAndSurvivesARestart) {
    const auto both = grant_of(acquire_all({fresh("lock/a"), fresh("lock/b")}));
    const auto in = [&](std::string_view lock) {
        return history(lock).json_text("/data/0/lease_id");
    };
    const auto b = lease(both).json_text("/locks/1");
    break_lock(both);

    restart();

    EXPECT_EQ(in(both.lock), both.lease_id);
    EXPECT_EQ(in(b), both.lease_id);
}

TEST_F(History, OfALockNobodyHeldIsEmpty) {
    EXPECT_THAT(history(fresh("lock")), Is(200, R"({"data":[]})"));
}

}  // namespace
}  // namespace fencegate::contract
