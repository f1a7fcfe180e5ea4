// One lease over several locks: all or none, one token, one life, and no deadlock.
#include "tests/contract/gateway_suite.hpp"

#include <thread>

namespace fencegate::contract {
namespace {

class SeveralNames : public GatewaySuite {
protected:
    const std::string a = fresh("pair/a");
    const std::string b = fresh("pair/b");
};

TEST_F(SeveralNames, AreGrantedTogetherInOrderUnderOneToken) {
    const auto granted = acquire_all({b, a}, R"(,"owner":"mover")");

    EXPECT_THAT(granted, Granted(granted, R"({"locks":["$","$"],"lock":"<absent>"})", a, b));
    const auto own = grant_of(granted);
    for (const auto& name : {a, b})
        EXPECT_THAT(lock(name), Is(200, R"({"holder":{"lease_id":"$","fencing_token":$}})",
                                   own.lease_id, own.token));
}

TEST_F(SeveralNames, OfWhichThereIsOneAreALockLikeAnyOther) {
    EXPECT_THAT(acquire_all({a}), Is(201, R"({"lock":"$","locks":["$"]})", a, a));
    EXPECT_THAT(acquire(a), Refused(423, "lock_held"));
}

TEST_F(SeveralNames, AreGrantedAllOrNone) {
    const auto other = grant(b);

    EXPECT_THAT(acquire_all({a, b}), Refused(423, "lock_held", R"({"lock":"$"})", b))
        << "the one that is in the way";
    EXPECT_EQ(state_of(a), "free");
    release(other);
    EXPECT_THAT(acquire_all({a, b}), Is(201));
}

TEST_F(SeveralNames, WaitForAllAndKeepTheirPlaceInEveryLine) {
    const auto first = grant(a);
    const auto second = grant(b);
    auto both = begin("POST", "/v1/leases", names_body({a, b}, R"(,"wait_ms":60000)"));
    await_waiters(b, 1);

    release(first);
    EXPECT_THAT(acquire(a), Refused(423, "lock_held", R"({"waiters_ahead":1})"));
    EXPECT_THAT(lock(a), Is(200, R"({"state":"free","line":[{"locks":["$","$"]}]})", a, b));
    release(second);

    EXPECT_THAT(both.read_response(), Is(201, R"({"locks":["$","$"]})", a, b));
}

TEST_F(SeveralNames, LeaveEveryLineWhenTheirWaitIsOver) {
    grant(a);

    EXPECT_THAT(acquire_all({a, b}, R"(,"wait_ms":100)"), Refused(423, "lock_held"));

    EXPECT_EQ(lock(a).json_int("waiters"), 0);
    EXPECT_THAT(acquire(b), Is(201)) << "nobody stands before it any more";
}

TEST_F(SeveralNames, FenceEachOfThePaymentsByOneToken) {
    const auto payer = create_payment();
    const auto payee = create_payment();
    const auto both = grant_of(acquire_all({"payments/" + payer, "payments/" + payee}));

    EXPECT_THAT(refund(payer, both.token, 100), Is(201));
    EXPECT_THAT(refund(payee, both.token, 200), Is(201));
    EXPECT_THAT(refund(create_payment(), both.token, 300), Refused(412, "fence_lock_mismatch"));
}

TEST_F(SeveralNames, TakenCrosswiseNeverDeadlock) {
    constexpr int kRounds = 25;
    const auto move_money = [&](const Texts& names, int& granted) {
        auto own = gateway().client();
        for (int round = 0; round < kRounds; ++round) {
            const auto answer =
                own.request("POST", "/v1/leases", {}, names_body(names, R"(,"wait_ms":10000)"));
            if (answer.status != 201) return;
            own.request("DELETE", "/v1/leases/" + answer.json_text("lease_id"));
            ++granted;
        }
    };
    int there = 0;
    int back = 0;

    std::thread one([&] { move_money({a, b}, there); });
    std::thread other([&] { move_money({b, a}, back); });
    one.join();
    other.join();

    EXPECT_EQ(there, kRounds);
    EXPECT_EQ(back, kRounds);
}

TEST_F(SeveralNames, UnderAKeyAreAnsweredAgainWithTheSameLease) {
    const Headers key{{"Idempotency-Key", fresh("key")}};
    const auto first = grant_of(acquire_all({a, b}, R"(,"owner":"mover")", key));

    EXPECT_THAT(acquire_all({b, a}, R"(,"owner":"mover")", key),
                Is(201, R"({"lease_id":"$","locks":["$","$"]})", first.lease_id, a, b)
                    .with("Idempotency-Replayed", "true"));
}

TEST_F(SeveralNames, AreSixteenAtMostAndNoneTwice) {
    Texts names;
    for (int name = 0; name < 16; ++name) names.push_back(fresh("many"));
    auto too_many = names;
    too_many.push_back(fresh("many"));

    for (const auto& bad : {too_many, {}, {a, b, a}})
        EXPECT_THAT(acquire_all(bad), Refused(400, "invalid_argument")) << names_body(bad);
    EXPECT_THAT(post("/v1/leases", "{}"), Refused(400, "invalid_argument"));
    for (const auto* bad : {"../b", "deadlocks"})
        EXPECT_THAT(acquire_all({a, bad}), Refused(400, "invalid_lock_name")) << bad;
    EXPECT_EQ(state_of(a), "free");
    EXPECT_THAT(acquire_all(names), Is(201));
}

}  // namespace
}  // namespace fencegate::contract
