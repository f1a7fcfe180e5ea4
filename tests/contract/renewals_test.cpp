// Brakes on a holder that hangs while its heartbeat goes on, and the rest after an expiry. All are
// off unless a class asks for them.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Renewals : public GatewaySuite {
protected:
    static void SetUpTestSuite() {
        start(
            "[class.stalls]\nstalled_renewals_max = 2\n"
            "[class.capped]\nmax_hold = \"1s\"\n"
            "[class.rests]\nlock_delay = \"1500ms\"\n");
    }
};

constexpr std::string_view kOne = R"({"progress":1})";

TEST_F(Renewals, WithoutProgressAreWarnedAndThenRefused) {
    const auto own = grant(fresh("stalls/lock"));
    EXPECT_THAT(renew(own, kOne), Is(200, R"({"warning":"<absent>"})"));

    for (const int left : {1, 0})
        EXPECT_THAT(renew(own, kOne),
                    Is(200, R"({"warning":"no_progress","stalled_renewals_left":$})", left));
    EXPECT_THAT(renew(own), Refused(409, "no_progress")) << "nor is silence progress";
    EXPECT_EQ(state_of(own), "live") << "until its deadline";

    EXPECT_THAT(renew(own, R"({"progress":2})"), Is(200, R"({"warning":"<absent>"})"));
}

TEST_F(Renewals, BeyondMaxHoldAreCutAndThenRefused) {
    const auto own = grant(fresh("capped/lock"), 500);

    const auto cut = renew(own, R"({"ttl_ms":60000})");

    EXPECT_THAT(cut, Is(200, R"({"warning":"max_hold","remaining_ms":"<..1000>"})"));
    EXPECT_EQ(cut.json_int("hold_left_ms"), cut.json_int("remaining_ms"));
    EXPECT_THAT(renew(own, R"({"ttl_ms":60000})"), Refused(409, "max_hold_reached"));
    EXPECT_THAT(acquire(fresh("capped/lock"), R"({"ttl_ms":60000})"),
                Is(201, R"({"remaining_ms":"<..1000>"})"))
        << "nor is it avoided by a long first TTL";
}

using LockDelay = Renewals;

TEST_F(LockDelay, RestsALockAfterAnExpiry) {
    const auto own = grant(fresh("rests/lock"), 100);
    auto waiting = begin("POST", "/v1/locks/" + own.lock, R"({"wait_ms":10000})");
    await_end(own, "expired");

    EXPECT_THAT(lock(own.lock), Is(200, R"({"state":"resting","rests_for_ms":"<1..1500>"})"));
    const auto refused = acquire(own.lock);
    EXPECT_THAT(refused, Refused(423, "lock_held", R"({"rests_for_ms":"<1..>"})"));
    EXPECT_EQ(refused.header("Retry-After"), refused.json_int("rests_for_ms") > 1'000 ? "2" : "1");
    EXPECT_EQ(state_of(own), "expired") << "nobody else is granted yet";
    EXPECT_THAT(waiting.read_response(), Is(201)) << "when the rest is over";
}

}  // namespace
}  // namespace fencegate::contract
