// Quotas: how many locks a principal may hold and wait for in a class.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

StoreHarness limited() {
    return StoreHarness(
        {{.name = "payments", .locks_per_principal_max = 2, .waiters_per_principal_max = 1}});
}

TEST(Quotas, RefuseOneLockTooManyAndOnlyToThatPrincipal) {
    auto store = limited();
    const auto first = *store.acquire("payments/1");
    ASSERT_FALSE(store.acquire("payments/2")->error);

    EXPECT_EQ(code_of(*store.acquire("payments/3")), ErrorCode::QuotaExceeded);
    EXPECT_FALSE(store.acquire("payments/3", {.principal = "other"})->error);
    EXPECT_FALSE(store.acquire("elsewhere")->error);
    ASSERT_FALSE(store.release(first).error);
    EXPECT_FALSE(store.acquire("payments/4")->error);
}

TEST(Quotas, CountEveryLockOfALease) {
    auto store = limited();
    ASSERT_FALSE(store.acquire("payments/1")->error);

    EXPECT_EQ(code_of(*store.acquire("payments/2", {.also = {"payments/3"}})),
              ErrorCode::QuotaExceeded);
    EXPECT_FALSE(store.acquire("payments/2", {.also = {"elsewhere"}})->error);
}

TEST(Quotas, LimitWaiters) {
    auto store = limited();
    store.acquire("payments/1", {.principal = "holder"});
    ASSERT_FALSE(store.acquire("payments/1", {.wait_ms = 5'000}));

    EXPECT_EQ(code_of(*store.acquire("payments/1", {.wait_ms = 5'000})), ErrorCode::QuotaExceeded);
    EXPECT_FALSE(store.acquire("payments/1", {.wait_ms = 5'000, .principal = "other"}));
    store.tick(Duration(5'001));
    EXPECT_FALSE(
        store.acquire("payments/1", {.wait_ms = 5'000, .principal = "holder"})->error.has_value());
}

// What it took meanwhile counts at the moment of the grant, and who stands behind it goes next.
TEST(Quotas, AreLookedAtAgainWhenAWaiterIsServed) {
    auto store = limited();
    const auto holder = *store.acquire("payments/1", {.principal = "holder"});
    ASSERT_FALSE(store.acquire("payments/1", {.wait_ms = 5'000}));
    const auto greedy = store.last_ticket();
    ASSERT_FALSE(store.acquire("payments/1", {.wait_ms = 5'000, .principal = "modest"}));
    const auto modest = store.last_ticket();
    store.acquire("payments/2");
    store.acquire("payments/3");

    const auto answers =
        store.run_batch({storage::ReleaseLease{*parse_uuid(holder.resource_id)}}, "holder");

    EXPECT_EQ(code_of(answers.at(greedy)), ErrorCode::QuotaExceeded);
    EXPECT_FALSE(answers.at(modest).error);
}

TEST(Quotas, AreCountedAgainAfterARestart) {
    auto store = limited();
    store.acquire("payments/1");
    store.acquire("payments/2");

    store.reopen();

    EXPECT_EQ(code_of(*store.acquire("payments/3")), ErrorCode::QuotaExceeded);
    store.tick(Duration(1'001));
    EXPECT_FALSE(store.acquire("payments/3")->error);
}

TEST(Quotas, RememberNobodyWhoHasNothing) {
    auto store = limited();
    for (int index = 0; index < 50; ++index) {
        const auto principal = "p" + std::to_string(index);
        store.acquire("payments/" + principal, {.ttl_ms = 100, .principal = principal});
        store.acquire("payments/" + principal,
                      {.ttl_ms = 100, .wait_ms = 50, .principal = principal});
    }
    ASSERT_EQ(store.store->live().usage().size(), 50U);

    store.tick(Duration(100));

    EXPECT_EQ(store.store->live().usage().size(), 0U);
}

TEST(Quotas, AreFreedByAnExpiryAndABreakToo) {
    auto store = limited();
    store.acquire("payments/1", {.ttl_ms = 100});
    const auto broken = *store.acquire("payments/2", {.ttl_ms = 60'000});
    store.tick(Duration(100));
    ASSERT_FALSE(store
                     .run(storage::BreakLock{*lockmgr::LockName::parse("payments/2"),
                                             *broken.fencing_token, "stuck"})
                     ->error);

    EXPECT_FALSE(store.acquire("payments/3", {.also = {"payments/4"}})->error);
}

}  // namespace
}  // namespace fencegate::testing
