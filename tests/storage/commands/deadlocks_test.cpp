// The report of waiters that wait for each other in a circle.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

std::string report(StoreHarness& store) { return store.run(storage::FindDeadlocks{})->body; }

void tie_a_knot(StoreHarness& store) {
    store.acquire("a", {.owner = "x", .ttl_ms = 60'000});
    store.acquire("b", {.owner = "y", .ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("b", {.owner = "x", .wait_ms = 10'000}));
    ASSERT_FALSE(store.acquire("a", {.owner = "y", .wait_ms = 10'000}));
}

TEST(Deadlocks, AreReportedWithWhoWaitsForWhom) {
    StoreHarness store;
    tie_a_knot(store);

    const auto text = report(store);

    EXPECT_TRUE(has(text, R"("count":1)"));
    EXPECT_TRUE(has(text, R"("waiter":{"principal":"worker","owner":"x"},"lock":"b")")) << text;
    EXPECT_TRUE(has(text, R"("blocker":{"principal":"worker","owner":"x"},"blocker_is":"holder")"));
}

TEST(Deadlocks, AreCountedASecondAfterALineMoved) {
    StoreHarness store;
    tie_a_knot(store);
    EXPECT_EQ(store.observer.deadlocks, 0U);

    store.tick(Duration(1'000));
    EXPECT_EQ(store.observer.deadlocks, 1U);

    store.tick(Duration(10'000));  // everybody's patience ends
    store.tick(Duration(1'000));
    EXPECT_EQ(store.observer.deadlocks, 0U);
}

TEST(Deadlocks, OneWaiterAloneIsNone) {
    StoreHarness store;
    store.acquire("a", {.owner = "x"});
    ASSERT_FALSE(store.acquire("a", {.owner = "y", .wait_ms = 5'000}));

    EXPECT_TRUE(has(report(store), R"("count":0)"));
}

TEST(Deadlocks, WhoWaitsForWhatItHoldsItselfIsOne) {
    StoreHarness store;
    store.acquire("a", {.owner = "x"});
    ASSERT_FALSE(store.acquire("a", {.owner = "x", .wait_ms = 5'000}));

    EXPECT_TRUE(has(report(store), R"("count":1)"));
}

}  // namespace
}  // namespace fencegate::testing
