// What is over is forgotten after its retention, and nothing else is.
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::storage {
namespace {

using testing::AcquireOptions;
using testing::code_of;
using testing::StoreHarness;

constexpr std::chrono::hours kHour(1);
constexpr Retention kShort{.idempotency = std::chrono::hours(24),
                           .history = std::chrono::hours(10)};
const std::vector<lockmgr::LockClass> kClasses{{.name = "payments"}};

// One batch an hour, as a store that nobody asks anything runs at least.
void run_hours(StoreHarness& store, int hours) {
    while (hours-- > 0) store.tick(kHour);
    for (int rounds = 0; rounds < 20; ++rounds) store.tick(Duration(25));
}

std::int64_t live_leases(StoreHarness& store) {
    return store.number("SELECT count(*) FROM leases WHERE state = 0");
}

TEST(Sweeper, ForgetsAnAnswerAfterItsRetentionAndNotBefore) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000);

    run_hours(store, 24);
    EXPECT_EQ(store.number("SELECT count(*) FROM answers"), 1);
    run_hours(store, 2);

    EXPECT_EQ(store.number("SELECT count(*) FROM answers"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM payments"), 1);
}

TEST(Sweeper, ForgetsNoKeyBecauseTheWallClockJumpsAYearAhead) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1");
    const auto first = store.refund("pay_1", grant.fencing_token);

    store.clock.step_wall(std::chrono::hours(24 * 365));
    run_hours(store, 2);
    const auto again = store.refund("pay_1", grant.fencing_token);

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.body, first.body);
}

TEST(Sweeper, AgesNothingWhileNothingRuns) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    run_hours(store, 40);

    store.clock.step_wall(std::chrono::hours(24 * 30));
    store.reopen();
    run_hours(store, 30);

    EXPECT_EQ(store.number("SELECT count(*) FROM answers"), 1);
    run_hours(store, 4);
    EXPECT_EQ(store.number("SELECT count(*) FROM answers"), 0);
}

TEST(Sweeper, ForgetsALeaseOnlyAfterItsEndHasAged) {
    StoreHarness store(kClasses, kShort);
    const auto held = *store.acquire("a", {.ttl_ms = 3'600'000});
    for (int hour = 0; hour < 40; ++hour) {  // longer than any retention
        store.clock.advance(std::chrono::minutes(59));
        store.renew(held);
    }
    store.release(held);
    store.tick(Duration(25));
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);

    run_hours(store, 8);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
    run_hours(store, 5);

    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM locks"), 0);
}

TEST(Sweeper, KeepsTheHoursThatItWillAskForAndNoMore) {
    StoreHarness store(kClasses, kShort);

    run_hours(store, 30);

    EXPECT_EQ(store.number("SELECT max(hour) FROM hours"), 29);
    EXPECT_EQ(store.number("SELECT min(hour) FROM hours"), 29 - kShort.history.count());
    EXPECT_EQ(store.number("SELECT count(*) FROM hours"), kShort.history.count() + 1);
}

TEST(Sweeper, ForgetsALeaseInTheHourInWhichItsRetentionIsOver) {
    StoreHarness store(kClasses, kShort);
    store.release(*store.acquire("a"));  // in hour 0

    run_hours(store, static_cast<int>(kShort.history.count()));
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
    run_hours(store, 1);

    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 0);
}

TEST(Sweeper, LeavesNothingOfALeaseOverSeveralLocksBehind) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1", {.also = {"b", "c"}});
    store.release(grant);
    store.refund("pay_1", grant.fencing_token);  // refused, and on record
    ASSERT_EQ(store.number("SELECT count(*) FROM refusals"), 1);

    run_hours(store, 14);

    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM lease_locks"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM refusals"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM locks"), 0);
}

TEST(Sweeper, KeepsWhatIsHeldAndTheNewestOfALock) {
    StoreHarness store(kClasses, kShort);
    store.release(*store.acquire("a"));
    run_hours(store, 14);
    const auto later = *store.acquire("a", {.ttl_ms = 3'600'000});

    run_hours(store, 0);

    EXPECT_EQ(live_leases(store), 1);
    EXPECT_EQ(store.number("SELECT last_token FROM locks WHERE name = 'a'"),
              testing::number_of(later.fencing_token));
}

TEST(Sweeper, ALockThatIsHeldStaysInTheListWhenWhoCameLaterIsForgotten) {
    constexpr lockmgr::Claim kRead{lockmgr::LockMode::Shared, 1};
    StoreHarness store({{.name = "payments"}, {.name = "a", .ttl_max = std::chrono::hours(99)}},
                       kShort);
    const AcquireOptions long_read{.ttl_ms = 99 * 3'600'000, .claim = kRead};
    static_cast<void>(*store.acquire("a", long_read));
    store.release(*store.acquire("a", long_read));

    run_hours(store, 14);

    EXPECT_EQ(live_leases(store), 1);
    EXPECT_EQ(store.number("SELECT count(*) FROM locks WHERE name = 'a'"), 1);
}

TEST(Sweeper, ATokenWhoseLeaseIsForgottenIsRefusedAndNeverIssuedAgain) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire("payments/pay_1");
    store.release(grant);
    run_hours(store, 14);

    const auto refused = store.refund("pay_1", grant.fencing_token, {.key = "late"});
    const auto next = *store.acquire("payments/pay_1");

    EXPECT_EQ(code_of(refused), ErrorCode::FenceTokenUnknown);
    EXPECT_GT(next.fencing_token, grant.fencing_token);
}

TEST(Sweeper, AReplayedGrantWhoseLeaseIsForgottenSaysSo) {
    StoreHarness store(kClasses, {.history = std::chrono::hours(10)});
    const auto grant = *store.acquire("a", {.key = "k"});
    store.release(grant);
    run_hours(store, 14);

    const auto again = *store.acquire("a", {.key = "k"});

    EXPECT_EQ(code_of(again), ErrorCode::LeaseNotFound);
}

TEST(Sweeper, KeepsUpWithALoadThatNeverStops) {
    StoreHarness store(kClasses, kShort);
    for (int made = 0; made < 100; ++made) store.release(*store.acquire("a"));
    for (int hour = 0; hour < 12; ++hour) store.tick(kHour);
    const auto before = store.number("SELECT count(*) FROM leases");

    for (int made = 0; made < 50; ++made) store.release(*store.acquire("b"));

    EXPECT_LT(store.number("SELECT count(*) FROM leases"), before);
}

// A gateway that is restarted before the hour is over ages at the speed of any other.
TEST(Sweeper, AgesAlsoWhatIsRestartedMoreOftenThanHourly) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000);

    for (int life = 0; life < 30; ++life) {  // 27 h 30 min
        for (int minute = 0; minute < 55; ++minute) store.tick(std::chrono::minutes(1));
        store.store->close();
        store.reopen();
    }
    run_hours(store, 0);

    EXPECT_EQ(store.number("SELECT count(*) FROM answers"), 0);
    EXPECT_EQ(store.number("SELECT max(hour) FROM hours"), 26);
}

TEST(Sweeper, LosesNoMoreThanAMinuteOfTheHourWhenItIsKilled) {
    StoreHarness store(kClasses, kShort);
    store.tick(std::chrono::minutes(30));
    store.tick(Duration(59'000));

    store.reopen();
    store.tick(std::chrono::minutes(29));
    EXPECT_EQ(store.number("SELECT count(*) FROM hours"), 0);
    store.tick(std::chrono::minutes(1));

    EXPECT_EQ(store.number("SELECT count(*) FROM hours"), 1);
}

TEST(Sweeper, AgesNothingSoonerBecauseItIsRestarted) {
    StoreHarness store(kClasses, kShort);

    for (int life = 0; life < 119; ++life) {  // 59 min 30 s
        store.tick(Duration(30'000));
        store.store->close();
        store.reopen();
    }

    EXPECT_EQ(store.number("SELECT count(*) FROM hours"), 0);
}

}  // namespace
}  // namespace fencegate::storage
