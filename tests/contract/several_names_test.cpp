// One lease over several locks: all or none, one token, one life, and no deadlock.
#include "tests/contract/gateway_suite.hpp"

#include <thread>
#include <vector>

namespace fencegate::contract {
namespace {

std::string names_body(const std::vector<std::string>& names, std::string_view more = "") {
    std::string body = R"({"locks":[)";
    for (const auto& name : names)
        body.append(body.ends_with('[') ? "\"" : ",\"").append(name).append("\"");
    return body.append("]").append(more).append("}");
}

class SeveralNames : public GatewaySuite {
protected:
    Response acquire_all(const std::vector<std::string>& names, std::string_view more = "") {
        return client.request("POST", "/v1/leases", {}, names_body(names, more));
    }
    static Response acquire_all(HttpsClient& by, const std::vector<std::string>& names,
                                std::string_view more) {
        return by.request("POST", "/v1/leases", {}, names_body(names, more));
    }
    std::string state_of(std::string_view name) { return lock(name).json_text("state"); }

    const std::string a = fresh("pair/a");
    const std::string b = fresh("pair/b");
};

TEST_F(SeveralNames, AreGrantedTogetherInOrderUnderOneToken) {
    const auto granted = acquire_all({b, a}, R"(,"owner":"mover")");

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.json_text("/locks/0"), a);
    EXPECT_EQ(granted.json_text("/locks/1"), b);
    EXPECT_FALSE(granted.has("lock"));
    EXPECT_EQ(granted.header("Location"), "/v1/leases/" + granted.json_text("lease_id"));
    EXPECT_EQ(granted.header("X-Fence-Token"), std::to_string(granted.json_int("fencing_token")));
    for (const auto& name : {a, b}) {
        EXPECT_EQ(lock(name).json_text("/holder/lease_id"), granted.json_text("lease_id"));
        EXPECT_EQ(lock(name).json_int("/holder/fencing_token"), granted.json_int("fencing_token"));
    }
}

TEST_F(SeveralNames, OfWhichThereIsOneAreALockLikeAnyOther) {
    const auto granted = acquire_all({a});

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.json_text("lock"), a);
    EXPECT_EQ(granted.json_size("locks"), 1U);
    expect_problem(acquire(a), 423, "lock_held");
}

TEST_F(SeveralNames, FenceEachOfThePaymentsByOneToken) {
    const auto payer = create_payment();
    const auto payee = create_payment();
    const auto third = create_payment();

    const auto both = grant_of(acquire_all({"payments/" + payer, "payments/" + payee}));

    EXPECT_EQ(refund(payer, both.token, 100).status, 201);
    EXPECT_EQ(refund(payee, both.token, 200).status, 201);
    expect_problem(refund(third, both.token, 300), 412, "fence_lock_mismatch");
}

TEST_F(SeveralNames, AreGrantedAllOrNone) {
    const auto other = grant(b);

    const auto refused = acquire_all({a, b});

    expect_problem(refused, 423, "lock_held");
    EXPECT_EQ(refused.json_text("lock"), b) << "the one that is in the way";
    EXPECT_EQ(state_of(a), "free");
    release(other);
    EXPECT_EQ(acquire_all({a, b}).status, 201);
}

TEST_F(SeveralNames, WaitForAllAndKeepTheirPlaceInEveryLine) {
    const auto first = grant(a);
    const auto second = grant(b);
    auto both = begin("POST", "/v1/leases",
                      names_body({a, b}, R"(,"wait_ms":60000,"ttl_ms":60000,"owner":"both")"));
    await_waiters(b, 1);

    release(first);
    const auto overtaking = acquire(a);
    EXPECT_EQ(lock(a).json_text("/line/0/locks/1"), b);
    release(second);

    expect_problem(overtaking, 423, "lock_held");
    EXPECT_EQ(overtaking.json_int("waiters_ahead"), 1);
    const auto granted = both.read_response();
    EXPECT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.json_size("locks"), 2U);
}

TEST_F(SeveralNames, AreNotServedBeforeWhoStandsAheadInOneOfTheirLines) {
    const auto c = fresh("pair/c");
    const auto first = grant(a);
    const auto last = grant(c);
    auto ahead = begin("POST", "/v1/leases", names_body({b, c}, R"(,"wait_ms":60000)"));
    await_waiters(b, 1);
    auto behind = begin("POST", "/v1/leases", names_body({a, b}, R"(,"wait_ms":60000)"));
    await_waiters(b, 2);

    release(first);

    EXPECT_EQ(state_of(a), "free") << "kept for the one behind";
    EXPECT_EQ(lock(a).json_int("waiters"), 1);
    release(last);
    const auto granted = grant_of(ahead.read_response());
    EXPECT_EQ(lock(b).json_int("waiters"), 1);
    release(granted);
    EXPECT_EQ(behind.read_response().status, 201);
}

TEST_F(SeveralNames, LeaveEveryLineWhenTheirWaitIsOver) {
    const auto own = grant(a);

    const auto refused = acquire_all({a, b}, R"(,"wait_ms":100)");

    expect_problem(refused, 423, "lock_held");
    EXPECT_EQ(lock(a).json_int("waiters"), 0);
    EXPECT_EQ(acquire(b).status, 201) << "nobody stands before it any more";
}

TEST_F(SeveralNames, AreReleasedAsAWhole) {
    const auto payer = create_payment();
    const auto payee = create_payment();
    const auto both = grant_of(acquire_all({"payments/" + payer, "payments/" + payee}));
    auto waiting = stand_in_line("payments/" + payee, 1);

    release(both);

    EXPECT_EQ(waiting.read_response().status, 201);
    EXPECT_EQ(state_of("payments/" + payer), "free");
    expect_problem(refund(payer, both.token, 100), 412, "lease_released");
    expect_problem(refund(payee, both.token, 100), 412, "lease_released");
}

TEST_F(SeveralNames, ExpireAsAWholeAndTheNextGrantOfOneSupersedesAll) {
    const auto payer = create_payment();
    const auto payee = create_payment();
    const auto both =
        grant_of(acquire_all({"payments/" + payer, "payments/" + payee}, R"(,"ttl_ms":100)"));
    await_end(both, "expired");
    expect_problem(refund(payee, both.token, 100), 412, "lease_expired");

    const auto next = grant("payments/" + payee);

    const auto refused = refund(payee, both.token, 100);
    expect_problem(refused, 412, "fence_token_stale");
    EXPECT_EQ(std::to_string(refused.json_int("current_token")), next.token);
    expect_problem(refund(payer, both.token, 100), 412, "fence_token_stale");
    EXPECT_EQ(refund(payee, next.token, 100).status, 201);
}

TEST_F(SeveralNames, AreBrokenAsAWholeByAnyOfThem) {
    auto both = grant_of(acquire_all({a, b}));

    both.lock = b;
    break_lock(both);

    EXPECT_EQ(state_of(a), "free");
    EXPECT_EQ(state_of(b), "free");
    expect_problem(renew(both), 410, "lease_broken");
}

TEST_F(SeveralNames, TakenCrosswiseNeverDeadlock) {
    constexpr int kRounds = 25;
    constexpr std::string_view kWait = R"(,"wait_ms":10000,"ttl_ms":60000)";
    const auto move_money = [&](const std::vector<std::string>& names, int& granted) {
        auto own = gateway().client();
        for (int round = 0; round < kRounds; ++round) {
            const auto answer = acquire_all(own, names, kWait);
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
    const auto first =
        client.request("POST", "/v1/leases", key, names_body({a, b}, R"(,"owner":"mover")"));

    const auto again =
        client.request("POST", "/v1/leases", key, names_body({b, a}, R"(,"owner":"mover")"));

    ASSERT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(again.json_text("lease_id"), first.json_text("lease_id"));
    EXPECT_EQ(again.json_size("locks"), 2U);
}

TEST_F(SeveralNames, SurviveARestartTogether) {
    const auto both = grant_of(acquire_all({a, b}));

    client.close();
    gateway().restart();
    client = gateway().client();

    EXPECT_EQ(lease(both).json_size("locks"), 2U);
    expect_problem(acquire(a), 423, "lock_held");
    expect_problem(acquire(b), 423, "lock_held");
    release(both);
    EXPECT_EQ(acquire(b).status, 201);
}

TEST_F(SeveralNames, AreSixteenAtMostAndNoneTwice) {
    std::vector<std::string> names;
    for (int name = 0; name < 16; ++name) names.push_back(fresh("many"));
    auto too_many = names;
    too_many.push_back(fresh("many"));

    expect_problem(acquire_all(too_many), 400, "invalid_argument");
    expect_problem(acquire_all({}), 400, "invalid_argument");
    expect_problem(client.request("POST", "/v1/leases", {}, "{}"), 400, "invalid_argument");
    expect_problem(acquire_all({a, b, a}), 400, "invalid_argument");
    expect_problem(acquire_all({a, "../b"}), 400, "invalid_lock_name");
    expect_problem(acquire_all({a, "deadlocks"}), 400, "invalid_lock_name");
    EXPECT_EQ(state_of(a), "free");
    EXPECT_EQ(acquire_all(names).status, 201);
}

}  // namespace
}  // namespace fencegate::contract
