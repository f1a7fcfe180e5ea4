// Waiting for a lock: first come, first served, and never a grant to somebody who has left.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Waiting : public GatewaySuite {
protected:
    // A client of its own that now waits for the lock, as the `place`th.
    HttpsClient waiter(std::int64_t place) { return stand_in_line(own.lock, place); }

    const Grant own = grant(fresh("lock"));
};

TEST_F(Waiting, IsServedInTheOrderOfArrival) {
    auto first = waiter(1);
    auto second = waiter(2);

    release(own);
    const auto first_grant = first.read_response();
    ASSERT_EQ(first_grant.status, 201) << first_grant.body;
    EXPECT_EQ(lock(own.lock).json_int("waiters"), 1);
    EXPECT_EQ(lock(own.lock).json_int("/holder/fencing_token"),
              first_grant.json_int("fencing_token"));

    release(grant_of(first_grant));
    const auto second_grant = second.read_response();
    EXPECT_EQ(second_grant.status, 201) << second_grant.body;
    EXPECT_GT(second_grant.json_int("fencing_token"), first_grant.json_int("fencing_token"));
}

TEST_F(Waiting, EndsWithAGrantWhenTheHoldersLeaseRunsOut) {
    const auto brief = grant(fresh("lock"), 100);

    const auto granted = acquire(brief.lock, R"({"wait_ms":10000})");

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_GT(granted.json_int("fencing_token"), std::stoll(brief.token));
    EXPECT_EQ(granted.json_int("remaining_ms"), granted.json_int("ttl_ms"))
        << "the wait is not taken off the lease";
}

TEST_F(Waiting, EndsWithAGrantWhenTheLockIsBroken) {
    auto first = waiter(1);

    break_lock(own);

    EXPECT_EQ(first.read_response().status, 201);
}

TEST_F(Waiting, AClientThatClosedIsNeverGranted) {
    auto gone = waiter(1);
    auto next = waiter(2);

    gone.close();
    await_waiters(own.lock, 1);
    release(own);

    EXPECT_EQ(next.read_response().status, 201);
}

TEST_F(Waiting, AClientThatWasResetIsNeverGranted) {
    auto gone = waiter(1);
    auto next = waiter(2);

    gone.abort_connection();
    await_waiters(own.lock, 1);
    release(own);

    EXPECT_EQ(next.read_response().status, 201);
}

TEST_F(Waiting, WithNobodyLeftFreesTheLock) {
    auto gone = waiter(1);

    gone.close();
    await_waiters(own.lock, 0);
    release(own);

    EXPECT_EQ(lock(own.lock).json_text("state"), "free");
}

TEST_F(Waiting, KeepsRequestsSentAheadInOrder) {
    auto pipelining = waiter(1);
    pipelining.send_raw(request_text(gateway(), "GET", "/v1/payments/none"));

    release(own);

    EXPECT_EQ(pipelining.read_response().status, 201);
    EXPECT_EQ(pipelining.read_response().json_text("code"), "payment_not_found");
}

TEST_F(Waiting, ADepartureBehindPipelinedRequestsIsNoticed) {
    auto gone = waiter(1);
    gone.send_raw(request_text(gateway(), "GET", "/v1/payments/none"));

    gone.close();

    await_waiters(own.lock, 0);
}

class ShortQueue : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("waiters_per_lock_max = 1\n"); }
};

TEST_F(ShortQueue, RefusesAWaiterWhenTheQueueIsFull) {
    const auto own = grant(fresh("lock"));
    auto waiting = gateway().client();
    waiting.send_raw(
        request_text(gateway(), "POST", "/v1/locks/" + own.lock, {}, R"({"wait_ms":60000})"));
    await_waiters(own.lock, 1);

    const auto refused = acquire(own.lock, R"({"wait_ms":60000})");

    expect_problem(refused, 429, "queue_full");
    EXPECT_FALSE(refused.header("Retry-After").empty());
    release(own);
    EXPECT_EQ(waiting.read_response().status, 201);
}

}  // namespace
}  // namespace fencegate::contract
