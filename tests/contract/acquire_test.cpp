// Acquiring a lock: what a grant says, what a refusal says, and how an acquire is made safe to
// repeat.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Acquire : public GatewaySuite {};

TEST_F(Acquire, IsAnsweredWithEverythingAHolderNeeds) {
    const auto name = fresh("payments/pay");

    const auto granted = acquire(
        name, R"({"ttl_ms":5000,"owner":"worker-1","mode":"exclusive","metadata":{"job":[1]}})");

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.header("Content-Type"), "application/json");
    EXPECT_EQ(granted.header("Location"), "/v1/leases/" + granted.json_text("lease_id"));
    EXPECT_EQ(granted.header("X-Fence-Token"), std::to_string(granted.json_int("fencing_token")));
    EXPECT_EQ(granted.json_text("lock"), name);
    EXPECT_EQ(granted.json_text("owner"), "worker-1");
    EXPECT_EQ(granted.json_text("mode"), "exclusive");
    EXPECT_EQ(granted.json_int("ttl_ms"), 5'000);
    EXPECT_EQ(granted.json_int("remaining_ms"), 5'000);
    EXPECT_EQ(granted.json_int("/metadata/job/0"), 1);
    EXPECT_TRUE(granted.json_text("granted_at").ends_with('Z'));
    EXPECT_FALSE(granted.header("X-Request-Id").empty());
    EXPECT_EQ(granted.header_count("Idempotency-Replayed"), 0U);
}

TEST_F(Acquire, TakesThirtySecondsAndNoOwnerWhenItSaysNothing) {
    const auto granted = acquire(fresh("lock"));

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.json_int("ttl_ms"), 30'000);
    EXPECT_EQ(granted.json_text("owner"), "");
}

TEST_F(Acquire, GivesEveryGrantAGreaterToken) {
    std::int64_t last = 0;
    const auto name = fresh("lock");
    for (int round = 0; round < 20; ++round) {
        const auto own = grant(round % 2 == 0 ? name : fresh("lock"));
        EXPECT_GT(std::stoll(own.token), last);
        last = std::stoll(own.token);
        release(own);
    }
}

TEST_F(Acquire, OfAHeldLockIsRefusedAndSaysForHowLong) {
    const auto name = fresh("lock");
    ASSERT_EQ(acquire(name, R"({"ttl_ms":20000,"owner":"first"})").status, 201);

    const auto refused = acquire(name, R"({"owner":"second"})");

    expect_problem(refused, 423, "lock_held");
    EXPECT_EQ(refused.json_text("lock"), name);
    EXPECT_EQ(refused.json_text("holder"), "first");
    EXPECT_GT(refused.json_int("holder_remaining_ms"), 0);
    EXPECT_LE(refused.json_int("holder_remaining_ms"), 20'000);
    EXPECT_EQ(refused.json_int("waiters_ahead"), 0);
    EXPECT_EQ(refused.header("Retry-After"), "5") << "not for all of it";
    EXPECT_EQ(lock(name).json_text("/holder/owner"), "first");
}

TEST_F(Acquire, OfAHeldLockIsRefusedWhenItsWaitIsOver) {
    const auto own = grant(fresh("lock"), 20'000);

    const auto refused = acquire(own.lock, R"({"wait_ms":100})");

    expect_problem(refused, 423, "lock_held");
    EXPECT_EQ(refused.json_text("lock"), own.lock);
    EXPECT_FALSE(refused.header("Retry-After").empty());
    EXPECT_EQ(lock(own.lock).json_int("waiters"), 0);
}

TEST_F(Acquire, IsToldHowManyWaitAhead) {
    const auto own = grant(fresh("lock"));
    auto waiting = gateway().client();
    waiting.send_raw(
        request_text(gateway(), "POST", "/v1/locks/" + own.lock, {}, R"({"wait_ms":60000})"));
    await_waiters(own.lock, 1);

    const auto tried = acquire(own.lock);
    const auto waited = acquire(own.lock, R"({"wait_ms":100})");

    expect_problem(tried, 423, "lock_held");
    EXPECT_EQ(tried.json_int("waiters_ahead"), 1);
    expect_problem(waited, 423, "lock_held");
    EXPECT_EQ(waited.json_int("waiters_ahead"), 1);
}

TEST_F(Acquire, OfAHeldLockIsRefusedToItsOwnHolderToo) {
    const auto own = grant(fresh("lock"));

    expect_problem(acquire(own.lock), 423, "lock_held");
}

TEST_F(Acquire, WithAKeyIsAnsweredAgainWithTheSameLease) {
    const auto name = fresh("lock");
    const Headers key{{"Idempotency-Key", fresh("key")}};
    const auto first = acquire(name, R"({"owner":"a"})", key);
    ASSERT_EQ(first.status, 201);

    const auto again = acquire(name, R"({"owner":"a"})", key);

    ASSERT_EQ(again.status, 201) << again.body;
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(again.header("X-Fence-Status"), "live");
    EXPECT_EQ(again.header("Location"), first.header("Location"));
    EXPECT_EQ(again.header("X-Fence-Token"), first.header("X-Fence-Token"));
    EXPECT_EQ(again.json_text("granted_at"), first.json_text("granted_at"));
    EXPECT_LE(again.json_int("remaining_ms"), first.json_int("remaining_ms"));
}

TEST_F(Acquire, WithAKeyDoesNotHideThatTheLeaseHasEnded) {
    const auto name = fresh("lock");
    const Headers key{{"Idempotency-Key", fresh("key")}};
    const auto first = acquire(name, R"({"owner":"a"})", key);
    release({name, first.json_text("lease_id"), first.header("X-Fence-Token")});

    const auto again = acquire(name, R"({"owner":"a"})", key);

    expect_problem(again, 410, "lease_released");
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(again.header("X-Fence-Status"), "stale");
    EXPECT_EQ(again.header_count("X-Fence-Token"), 0U);
    EXPECT_EQ(lock(name).json_text("state"), "free") << "a replay grants nothing";
}

TEST_F(Acquire, WithAKeyOfAnotherRequestIsAMismatch) {
    const auto name = fresh("lock");
    const Headers key{{"Idempotency-Key", fresh("key")}};
    ASSERT_EQ(acquire(name, R"({"owner":"a"})", key).status, 201);
    const auto other = fresh("lock");

    expect_problem(acquire(name, R"({"owner":"b"})", key), 422, "idempotency_mismatch");
    expect_problem(acquire(other, R"({"owner":"a"})", key), 422, "idempotency_mismatch");
    EXPECT_EQ(lock(other).json_text("state"), "free");
}

TEST_F(Acquire, RefusedAsHeldIsNotRememberedUnderItsKey) {
    const auto own = grant(fresh("lock"));
    const Headers key{{"Idempotency-Key", fresh("key")}};
    expect_problem(acquire(own.lock, R"({"owner":"a"})", key), 423, "lock_held");
    release(own);

    const auto granted = acquire(own.lock, R"({"owner":"a"})", key);

    EXPECT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.header_count("Idempotency-Replayed"), 0U);
}

TEST_F(Acquire, StillWaitingUnderAKeyIsInFlight) {
    const auto own = grant(fresh("lock"));
    const Headers key{{"Idempotency-Key", fresh("key")}};
    constexpr std::string_view kWait = R"({"wait_ms":60000,"owner":"a"})";
    auto waiting = gateway().client();
    waiting.send_raw(request_text(gateway(), "POST", "/v1/locks/" + own.lock, key, kWait));
    await_waiters(own.lock, 1);

    const auto same = acquire(own.lock, kWait, key);
    const auto other = acquire(own.lock, R"({"wait_ms":60000,"owner":"b"})", key);

    expect_problem(same, 409, "idempotency_in_flight");
    EXPECT_FALSE(same.header("Retry-After").empty());
    expect_problem(other, 422, "idempotency_mismatch");
    EXPECT_EQ(lock(own.lock).json_int("waiters"), 1);
    release(own);
    const auto granted = waiting.read_response();
    EXPECT_EQ(granted.status, 201);
    EXPECT_EQ(acquire(own.lock, kWait, key).header("X-Fence-Token"),
              granted.header("X-Fence-Token"));
}

struct RangeRow {
    const char* name;
    const char* body;
};

std::ostream& operator<<(std::ostream& out, const RangeRow& row) { return out << row.name; }

class AcquireOutOfRange : public GatewaySuite, public ::testing::WithParamInterface<RangeRow> {};

TEST_P(AcquireOutOfRange, IsRefusedAndGrantsNothing) {
    const auto name = fresh("lock");

    expect_problem(acquire(name, GetParam().body), 400, "invalid_argument");

    EXPECT_EQ(lock(name).json_text("state"), "free");
}

INSTANTIATE_TEST_SUITE_P(
    Contract, AcquireOutOfRange,
    ::testing::Values(RangeRow{"TtlTooShort", R"({"ttl_ms":99})"},
                      RangeRow{"TtlTooLong", R"({"ttl_ms":3600001})"},
                      RangeRow{"TtlNegative", R"({"ttl_ms":-30000})"},
                      RangeRow{"TtlHugest", R"({"ttl_ms":9223372036854775807})"},
                      RangeRow{"WaitNegative", R"({"wait_ms":-1})"},
                      RangeRow{"WaitTooLong", R"({"wait_ms":60001})"},
                      RangeRow{"WaitHugest", R"({"wait_ms":9223372036854775807})"},
                      RangeRow{"ModeUnknown", R"({"mode":"EXCLUSIVE"})"},
                      RangeRow{"MetadataNoObject", R"({"metadata":[1]})"},
                      RangeRow{"OwnerNoText", R"({"owner":7})"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Acquire, WithAnOwnerOrMetadataTooLongIsRefused) {
    const auto name = fresh("lock");

    expect_problem(acquire(name, R"({"owner":")" + std::string(129, 'o') + "\"}"), 400,
                   "invalid_argument");
    expect_problem(acquire(name, R"({"metadata":{"a":")" + std::string(1'024, 'm') + "\"}}"), 400,
                   "invalid_argument");
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

}  // namespace
}  // namespace fencegate::contract
