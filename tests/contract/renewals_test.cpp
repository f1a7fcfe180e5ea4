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
            "[class.rests]\nlock_delay = \"1500ms\"\n"
            "[class.brief]\nttl_default = \"900ms\"\nttl_max = \"5s\"\n");
    }
    void restart() {
        client.close();
        gateway().restart();
        client = gateway().client();
    }
};

constexpr std::string_view kOne = R"({"progress":1})";

TEST_F(Renewals, WithoutProgressAreWarnedAndThenRefused) {
    const auto own = grant(fresh("stalls/lock"));
    const auto moving = renew(own, kOne);

    const auto first = renew(own, kOne);
    const auto second = renew(own, kOne);
    const auto third = renew(own, kOne);

    ASSERT_EQ(moving.status, 200) << moving.body;
    EXPECT_FALSE(moving.has("warning"));
    EXPECT_EQ(first.json_text("warning"), "no_progress");
    EXPECT_EQ(first.json_int("stalled_renewals_left"), 1);
    EXPECT_EQ(second.json_int("stalled_renewals_left"), 0);
    expect_problem(third, 409, "no_progress");
    EXPECT_EQ(lease(own).json_text("state"), "live") << "until its deadline";
}

TEST_F(Renewals, GoOnOnceProgressRises) {
    const auto own = grant(fresh("stalls/lock"));
    for (int renewal = 0; renewal < 3; ++renewal) ASSERT_EQ(renew(own, kOne).status, 200);
    expect_problem(renew(own, kOne), 409, "no_progress");

    const auto moved = renew(own, R"({"progress":2})");

    ASSERT_EQ(moved.status, 200) << moved.body;
    EXPECT_FALSE(moved.has("warning"));
    EXPECT_EQ(renew(own, R"({"progress":1})").json_int("stalled_renewals_left"), 1)
        << "a lower number is no progress";
}

TEST_F(Renewals, ThatLeaveProgressOutCountAsStalledForWhoOnceSentIt) {
    const auto counted = grant(fresh("stalls/lock"));
    const auto silent = grant(fresh("stalls/lock"));
    ASSERT_EQ(renew(counted, kOne).status, 200);

    for (int renewal = 0; renewal < 2; ++renewal) ASSERT_EQ(renew(counted).status, 200);
    expect_problem(renew(counted), 409, "no_progress");

    for (int renewal = 0; renewal < 5; ++renewal) {
        const auto renewed = renew(silent);
        ASSERT_EQ(renewed.status, 200) << renewed.body;
        EXPECT_FALSE(renewed.has("warning")) << "who never sends progress is not held to it";
    }
}

TEST_F(Renewals, BeyondMaxHoldAreCutAndThenRefused) {
    const auto own = grant(fresh("capped/lock"), 500);

    const auto cut = renew(own, R"({"ttl_ms":60000})");
    const auto refused = renew(own, R"({"ttl_ms":60000})");

    ASSERT_EQ(cut.status, 200) << cut.body;
    EXPECT_EQ(cut.json_text("warning"), "max_hold");
    EXPECT_LE(cut.json_int("remaining_ms"), 1'000);
    EXPECT_EQ(cut.json_int("hold_left_ms"), cut.json_int("remaining_ms"));
    expect_problem(refused, 409, "max_hold_reached");
    await_end(own, "expired");
}

TEST_F(Renewals, CannotBeAvoidedByALongFirstTtl) {
    const auto granted = acquire(fresh("capped/lock"), R"({"ttl_ms":60000})");

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_LE(granted.json_int("remaining_ms"), 1'000);
}

TEST_F(Renewals, AreCountedAnewAfterARestart) {
    const auto stalled = grant(fresh("stalls/lock"));
    for (int renewal = 0; renewal < 3; ++renewal) ASSERT_EQ(renew(stalled, kOne).status, 200);
    const auto capped = grant(fresh("capped/lock"), 60'000);

    restart();

    EXPECT_FALSE(renew(stalled, kOne).has("warning"));
    EXPECT_EQ(lease(capped).json_text("state"), "live");
    EXPECT_LE(lease(capped).json_int("remaining_ms"), 1'000);
}

using SeveralClasses = Renewals;

TEST_F(SeveralClasses, GiveALeaseTheStrictestOfTheirSettings) {
    const auto names = [](std::string_view one, std::string_view other) {
        return R"({"locks":[")" + fresh(one) + R"(",")" + fresh(other) + R"("])";
    };
    const auto acquire_all = [&](const std::string& body) {
        return client.request("POST", "/v1/leases", {}, body);
    };

    // The strict one is not always the first in order.
    const auto brief = acquire_all(names("brief/lock", "stalls/lock") + "}");
    const auto too_long = acquire_all(names("aside/lock", "brief/lock") + R"(,"ttl_ms":6000})");
    const auto capped = acquire_all(names("aside/lock", "capped/lock") + R"(,"ttl_ms":60000})");

    ASSERT_EQ(brief.status, 201) << brief.body;
    EXPECT_EQ(brief.json_int("ttl_ms"), 900);
    expect_problem(too_long, 400, "invalid_argument");
    ASSERT_EQ(capped.status, 201) << capped.body;
    EXPECT_LE(capped.json_int("remaining_ms"), 1'000);
    for (int renewal = 0; renewal < 3; ++renewal)
        ASSERT_EQ(renew(grant_of(brief), kOne).status, 200);
    expect_problem(renew(grant_of(brief), kOne), 409, "no_progress");
}

using LockDelay = Renewals;

TEST_F(LockDelay, RestsALockAfterAnExpiry) {
    const auto own = grant(fresh("rests/lock"), 100);
    auto waiting = begin("POST", "/v1/locks/" + own.lock, R"({"wait_ms":10000})");
    await_end(own, "expired");

    const auto resting = lock(own.lock);
    const auto refused = acquire(own.lock);

    EXPECT_EQ(resting.json_text("state"), "resting");
    EXPECT_GT(resting.json_int("rests_for_ms"), 0);
    EXPECT_LE(resting.json_int("rests_for_ms"), 1'500);
    expect_problem(refused, 423, "lock_held");
    EXPECT_GT(refused.json_int("rests_for_ms"), 0);
    EXPECT_EQ(refused.header("Retry-After"), refused.json_int("rests_for_ms") > 1'000 ? "2" : "1");
    EXPECT_EQ(lease(own).json_text("state"), "expired") << "nobody else is granted yet";
    EXPECT_EQ(waiting.read_response().status, 201) << "when the rest is over";
}

TEST_F(LockDelay, DoesNotFollowAReleaseNorABreak) {
    const auto own = grant(fresh("rests/lock"));
    release(own);

    const auto next = grant(own.lock);
    break_lock(next);

    EXPECT_EQ(lock(own.lock).json_text("state"), "free");
    EXPECT_EQ(acquire(own.lock).status, 201);
}

}  // namespace
}  // namespace fencegate::contract
