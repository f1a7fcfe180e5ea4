// Acquiring a lock: what a grant says, what a refusal says, and how an acquire is made safe to
// repeat.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Acquire : public GatewaySuite {
protected:
    const Headers key{{"Idempotency-Key", fresh("key")}};
    const std::string name = fresh("lock");
};

TEST_F(Acquire, IsAnsweredWithEverythingAHolderNeeds) {
    const auto granted = acquire(
        name, R"({"ttl_ms":5000,"owner":"worker-1","mode":"exclusive","metadata":{"job":[1]}})");

    EXPECT_THAT(granted,
                Granted(granted,
                        R"({"lock":"$","owner":"worker-1","mode":"exclusive","ttl_ms":5000,)"
                        R"("remaining_ms":5000,"metadata":{"job":[1]},"granted_at":"<time>"})",
                        name)
                    .with("Content-Type", "application/json")
                    .with("X-Request-Id", "<text>")
                    .with("Idempotency-Replayed", "<absent>"));
}

TEST_F(Acquire, TakesThirtySecondsAndNoOwnerWhenItSaysNothing) {
    EXPECT_THAT(acquire(name), Is(201, R"({"ttl_ms":30000,"owner":""})"));
}

TEST_F(Acquire, OfAHeldLockIsRefusedAndSaysForHowLong) {
    ASSERT_THAT(acquire(name, R"({"ttl_ms":20000,"owner":"first"})"), Is(201));

    EXPECT_THAT(acquire(name, R"({"owner":"second"})"),
                Refused(423, "lock_held",
                        R"({"lock":"$","holder":"first","holder_remaining_ms":"<1..20000>",)"
                        R"("waiters_ahead":0})",
                        name)
                    .with("Retry-After", "5"));  // not for all of it
    EXPECT_THAT(acquire(name, R"({"wait_ms":100})"),
                Refused(423, "lock_held", R"({"lock":"$"})", name).with("Retry-After", "<any>"));
    EXPECT_THAT(lock(name), Is(200, R"({"holder":{"owner":"first"},"waiters":0})"));
}

TEST_F(Acquire, WithAKeyIsAnsweredAgainWithTheSameLease) {
    const auto first = acquire(name, R"({"owner":"a"})", key);

    EXPECT_THAT(acquire(name, R"({"owner":"a"})", key),
                Is(201, R"({"granted_at":"$","remaining_ms":"<..$>"})",
                   first.json_text("granted_at"), first.json_int("remaining_ms"))
                    .with("Idempotency-Replayed", "true")
                    .with("X-Fence-Status", "live")
                    .with("Location", first.header("Location"))
                    .with("X-Fence-Token", first.header("X-Fence-Token")));
}

TEST_F(Acquire, WithAKeyDoesNotHideThatTheLeaseHasEnded) {
    release(grant_of(acquire(name, R"({"owner":"a"})", key)));

    EXPECT_THAT(acquire(name, R"({"owner":"a"})", key), Refused(410, "lease_released")
                                                            .with("Idempotency-Replayed", "true")
                                                            .with("X-Fence-Status", "stale")
                                                            .with("X-Fence-Token", "<absent>"));
    EXPECT_EQ(state_of(name), "free") << "a replay grants nothing";
}

TEST_F(Acquire, WithAKeyOfAnotherRequestIsAMismatch) {
    const auto other = fresh("lock");
    ASSERT_THAT(acquire(name, R"({"owner":"a"})", key), Is(201));

    EXPECT_THAT(acquire(other, R"({"owner":"a"})", key), Refused(422, "idempotency_mismatch"));
    EXPECT_EQ(state_of(other), "free");
}

TEST_F(Acquire, RefusedAsHeldIsNotRememberedUnderItsKey) {
    const auto own = grant(name);
    EXPECT_THAT(acquire(name, R"({"owner":"a"})", key), Refused(423, "lock_held"));
    release(own);

    EXPECT_THAT(acquire(name, R"({"owner":"a"})", key),
                Is(201).with("Idempotency-Replayed", "<absent>"));
}

TEST_F(Acquire, StillWaitingUnderAKeyIsInFlight) {
    constexpr std::string_view kWait = R"({"wait_ms":60000,"owner":"a"})";
    const auto own = grant(name);
    auto waiting = begin("POST", "/v1/locks/" + name, kWait, key);
    await_waiters(name, 1);

    EXPECT_THAT(acquire(name, kWait, key),
                Refused(409, "idempotency_in_flight").with("Retry-After", "<any>"));
    EXPECT_THAT(acquire(name, R"({"wait_ms":60000,"owner":"b"})", key),
                Refused(422, "idempotency_mismatch"));
    EXPECT_EQ(lock(name).json_int("waiters"), 1);
    release(own);
    const auto granted = grant_of(waiting.read_response());
    EXPECT_THAT(acquire(name, kWait, key), Is(201).with("X-Fence-Token", granted.token));
}

TEST_F(Acquire, OutOfRangeIsRefusedAndGrantsNothing) {
    for (const auto& body : Texts{
             R"({"ttl_ms":99})", R"({"ttl_ms":3600001})", R"({"ttl_ms":-30000})",
             R"({"ttl_ms":9223372036854775807})", R"({"wait_ms":-1})", R"({"wait_ms":60001})",
             R"({"wait_ms":9223372036854775807})", R"({"mode":"EXCLUSIVE"})", R"({"metadata":[1]})",
             R"({"owner":7})", filled(R"({"owner":"$"})", std::string(129, 'o')),
             filled(R"({"metadata":{"a":"$"}})", std::string(1'024, 'm'))}) {
        EXPECT_THAT(acquire(name, body), Refused(400, "invalid_argument")) << body;
    }
    EXPECT_EQ(state_of(name), "free");
}

}  // namespace
}  // namespace fencegate::contract
