// Who was in whose way: what the store tells of acquires that were not granted at once.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencegate::testing {
namespace {

using storage::Seconds;

TEST(Contentions, AreNotToldOfAGrantThatNobodyWasInTheWayOf) {
    StoreHarness store;

    store.acquire("a");

    EXPECT_TRUE(store.observer.contentions.empty());
}

TEST(Contentions, NameTheLockAndHowLongItWasWaitedFor) {
    StoreHarness store;
    const auto grant = *store.acquire("a");
    store.acquire("a");
    store.acquire("a", {.wait_ms = 200});
    store.acquire("a", {.wait_ms = 900});
    store.tick(Duration(200));
    store.clock.advance(Duration(300));
    store.release(grant);

    const auto& told = store.observer.contentions;
    ASSERT_EQ(told.size(), 3U);
    EXPECT_EQ(told[0].waited, Seconds(0));
    EXPECT_EQ(told[1].waited, Duration(200));
    EXPECT_EQ(told[2].waited, Duration(500));
    EXPECT_EQ(told[2].lock.value(), "a");
}

TEST(Contentions, AreToldOfEveryLockOfALease) {
    StoreHarness store;
    store.acquire("b");

    store.acquire("a", {.also = {"b"}});

    const auto& told = store.observer.contentions;
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].lock.value(), "a");
    EXPECT_EQ(told[1].lock.value(), "b");
}

TEST(Contentions, OfACommandThatIsTakenBackAreNotTold) {
    StoreHarness store;
    const auto grant = *store.acquire("a");
    store.acquire("a", {.wait_ms = 900});
    store.clock.advance(Duration(100));
    store.connection->exec(
        "CREATE TEMP TRIGGER sabotage BEFORE INSERT ON leases "
        "BEGIN SELECT RAISE(ABORT, 'sabotage'); END");

    store.release(grant);

    EXPECT_TRUE(store.observer.contentions.empty());
}

TEST(LongestHeld, ComesFirst) {
    StoreHarness store;
    for (const auto* name : {"a", "b", "c"}) {
        store.acquire(name, {.owner = std::string("holder-of-") + name, .ttl_ms = 60'000});
        store.clock.advance(Duration(1'000));
    }

    const auto body = store.run(storage::ReadLongestHeld{2})->body;

    EXPECT_TRUE(has(body, R"([{"held_ms":3000,"principal":"worker","lease_id":)")) << body;
    EXPECT_TRUE(has(body, R"("owner":"holder-of-a")"));
    EXPECT_LT(body.find("holder-of-a"), body.find("holder-of-b"));
    EXPECT_FALSE(has(body, "holder-of-c"));
}

TEST(LongestHeld, IsNobodyWhenEverythingIsFree) {
    StoreHarness store;
    store.release(*store.acquire("a"));

    EXPECT_EQ(store.run(storage::ReadLongestHeld{10})->body, "[]");
}

}  // namespace
}  // namespace fencegate::testing
