// The figures behind the advice on a TTL, from real leases.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencegate::testing {
namespace {

std::string advice(StoreHarness& store, const std::string& lock_class = "payments") {
    return store.run(storage::ReadAdvice{lock_class})->body;
}

// Leases of the class that are held for so long and released.
void hold(StoreHarness& store, int leases, std::int64_t held_ms, std::int64_t ttl_ms = 30'000) {
    for (int lease = 0; lease < leases; ++lease) {
        const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = ttl_ms});
        store.clock.advance(Duration(held_ms));
        store.release(grant);
    }
}

TEST(Advice, BeginsWithNothing) {
    StoreHarness store;

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("verdict":"too_few_leases")")) << text;
    EXPECT_TRUE(has(text, R"("ttl_default_ms":30000,"ttl_ms":30000)")) << text;
    EXPECT_TRUE(has(text, R"("leases":0,"expired":0)")) << text;
    EXPECT_TRUE(has(text, R"("percent_left_p1":{}})")) << text;
    EXPECT_FALSE(has(text, "hold_ms")) << text;
}

TEST(Advice, IsOfTheClassThatWasAskedFor) {
    StoreHarness store;
    hold(store, 100, 9);

    EXPECT_TRUE(has(advice(store), R"("leases":100)"));
    EXPECT_TRUE(has(advice(store, "other"), R"("leases":0)"));
    EXPECT_EQ(code_of(*store.run(storage::ReadAdvice{"nobody"})), ErrorCode::LockClassNotFound);
}

TEST(Advice, ToldOfHoldsAndWhatWasLeft) {
    StoreHarness store;
    hold(store, 99, 6'000);
    hold(store, 1, 9'000);

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("verdict":"fine")")) << text;
    EXPECT_TRUE(has(text, R"("hold_ms":{"p50":6015,"p99":6015,"max":9000})")) << text;
    EXPECT_TRUE(has(text, R"("release":70)")) << text;
}

// Who writes 11 s after its lease of 30 s ran out has needed 41 s.
TEST(Advice, LearnsFromLateWritesHowLongTheWorkTook) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    for (int lease = 0; lease < 100; ++lease) {
        const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 30'000});
        store.tick(Duration(30'000));
        store.clock.advance(Duration(11'000));
        ASSERT_TRUE(store.refund("pay_1", grant.fencing_token).error);
    }

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("advice":"p99 hold 41 s, TTL 30 s: raise to 60 s.")")) << text;
    EXPECT_TRUE(has(text, R"("suggested_ttl_ms":60000)")) << text;
    EXPECT_TRUE(has(text, R"("expired":100,"renewals":0,"late_writes":100)")) << text;
}

// Holders that come back a little after their TTL are slow: they need a longer one.
TEST(Advice, LearnsFromLateReleasesAndRenewalsHowLongTheWorkTook) {
    StoreHarness store;
    for (int lease = 0; lease < 120; ++lease) {
        const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
        store.tick(Duration(1'000));
        store.clock.advance(Duration(200 + lease % 3 * 50));
        if (lease % 4 < 2) {  // superseded by then
            ASSERT_FALSE(store.acquire("payments/pay_1", {.ttl_ms = 1'000})->error);
        }
        ASSERT_TRUE((lease % 2 == 0 ? store.release(grant) : store.renew(grant)).error);
        store.tick(Duration(1'000));
    }

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("verdict":"raise")")) << text;
    EXPECT_TRUE(has(text, R"("suggested_ttl_ms":2000)")) << text;
    EXPECT_TRUE(has(text, R"("late_writes":0,"late_returns":120)")) << text;
}

TEST(Advice, LearnsNothingFromOthersThatAskForALeaseThatRanOut) {
    StoreHarness store;
    const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
    store.tick(Duration(1'200));

    ASSERT_TRUE(store.release(grant, "thief").error);

    EXPECT_TRUE(has(advice(store), R"("late_returns":0)"));
}

TEST(Advice, TakesAHolderThatCameBackMuchLaterForGone) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    for (int lease = 0; lease < 100; ++lease) {
        const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 1'000});
        store.tick(Duration(1'000));
        store.clock.advance(Duration(60'000));
        ASSERT_TRUE(store.refund("pay_1", grant.fencing_token).error);
    }

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("verdict":"holders_vanish")")) << text;
    EXPECT_TRUE(has(text, R"("late_writes":100)")) << text;
    EXPECT_FALSE(has(text, "needed_ms")) << text;
}

TEST(Advice, LooksAtTheTimeBetweenRenewalsAndNotAtTheWholeHold) {
    StoreHarness store;
    for (int lease = 0; lease < 100; ++lease) {
        const auto grant = *store.acquire("payments/pay_1", {.ttl_ms = 30'000});
        for (int beat = 0; beat < 5; ++beat) {
            store.clock.advance(Duration(10'000));
            ASSERT_FALSE(store.renew(grant).error);
        }
        store.release(grant);
    }

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("verdict":"fine")")) << text;
    EXPECT_TRUE(has(text, R"("renewals":500)")) << text;
    EXPECT_TRUE(has(text, R"("max":50000})")) << text;
    EXPECT_TRUE(has(text, R"("max":10000})")) << text;
    EXPECT_TRUE(has(text, R"("renewal":66)")) << text;
}

TEST(Advice, ComparesWithTheTtlThatClientsAskFor) {
    StoreHarness store;
    hold(store, 100, 4'500, 5'000);

    const auto text = advice(store);

    EXPECT_TRUE(has(text, R"("ttl_default_ms":30000,"ttl_ms":5000)")) << text;
    EXPECT_TRUE(has(text, R"("verdict":"raise")")) << text;
}

TEST(Advice, ForgetsWhatIsOlderThanADay) {
    StoreHarness store;
    hold(store, 100, 1);
    store.clock.advance(std::chrono::hours(20));
    EXPECT_TRUE(has(advice(store), R"("leases":100)"));

    store.clock.advance(std::chrono::hours(5));

    EXPECT_TRUE(has(advice(store), R"("leases":0)"));
    hold(store, 1, 1);
    EXPECT_TRUE(has(advice(store), R"("leases":1)"));
}

}  // namespace
}  // namespace fencegate::testing
