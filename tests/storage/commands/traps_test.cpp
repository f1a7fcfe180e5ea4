// The traps that other lock services and their users fell into, by the number they have in
// docs/invariants.md. Only those that no other suite names.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

constexpr const char* kLock = "payments/pay_42";

TEST(Traps, T07NoReplyGivesSomebodyElsesTokenTheForceOfItsHolder) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto holder = *store.acquire(kLock, {.principal = "holder"});

    // Everybody may read the token of a lock; it is good from its holder only.
    ASSERT_TRUE(
        has(store.lock(kLock).body, std::to_string(testing::number_of(holder.fencing_token))));
    const auto refused = store.refund("pay_42", holder.fencing_token);
    EXPECT_EQ(code_of(refused), ErrorCode::FenceNotHolder);
    // Nor does the refusal tell how that lease is doing.
    EXPECT_EQ(member_of(refused, "lease_lock"), std::nullopt);
    EXPECT_EQ(member_of(refused, "current_token"), std::nullopt);
}

TEST(Traps, T08AskingAgainUnderTheSameRequestKeepsTheToken) {
    StoreHarness store;
    const auto first = *store.acquire(kLock, {.key = "one-request"});
    ASSERT_FALSE(store.renew(first).error);

    EXPECT_EQ(store.acquire(kLock, {.key = "one-request"})->fencing_token, first.fencing_token);
}

TEST(Traps, T11ARetryOfAnAcceptedWriteReplaysRatherThanAnsweringFenced) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto grant = *store.acquire(kLock);
    const auto written = store.refund("pay_42", grant.fencing_token);
    store.tick(Duration(1'001));
    ASSERT_FALSE(store.acquire(kLock, {.owner = "successor"})->error);

    const auto again = store.refund("pay_42", grant.fencing_token);

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.body, written.body);
    EXPECT_EQ(again.fence_status, storage::FenceStatus::Stale);
}

// PostHog/posthog#76100.
TEST(Traps, T12AWakingZombieStandsInLineAndDoesNotFenceTheRightfulOwner) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto zombie = *store.acquire(kLock, {.owner = "zombie"});
    store.tick(Duration(1'001));
    const auto rightful = *store.acquire(kLock, {.owner = "rightful", .ttl_ms = 60'000});

    // It wakes, believes that it holds the lock, and does everything it can think of.
    EXPECT_EQ(code_of(store.renew(zombie)), ErrorCode::GoneStale);
    EXPECT_EQ(code_of(store.release(zombie)), ErrorCode::GoneStale);
    EXPECT_EQ(code_of(*store.acquire(kLock, {.owner = "zombie"})), ErrorCode::LockHeld);
    EXPECT_FALSE(store.acquire(kLock, {.owner = "zombie", .wait_ms = 5'000}));
    EXPECT_EQ(code_of(store.refund("pay_42", zombie.fencing_token, {.key = "z"})),
              ErrorCode::FenceStale);

    EXPECT_FALSE(store.refund("pay_42", rightful.fencing_token, {.key = "r"}).error);
    EXPECT_FALSE(store.renew(rightful).error);
}

// etcd-io/website#710.
TEST(Traps, T13NamesAreComparedExactlyWithoutPrefixesOrFolding) {
    StoreHarness store;
    store.create("pay_42", 500);
    for (const char* near : {"payments/pay_4", "payments/pay_422", "payments", "Payments/pay_42",
                             "payments/pay_42/x", "payments/PAY_42"}) {
        const auto other = *store.acquire(near, {.ttl_ms = 60'000});
        ASSERT_FALSE(other.error) << near;
        EXPECT_EQ(code_of(store.refund("pay_42", other.fencing_token)),
                  ErrorCode::FenceLockMismatch)
            << near;
    }

    EXPECT_FALSE(store.acquire(kLock)->error);
}

// A restart gives every lease its full TTL: a lease may outlive what its holder was told, never the
// other way round, and who waits may wait longer than one TTL.
TEST(Traps, T16ATtlMayStretchOverARestartAndIsNeverShortened) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    for (int restart = 0; restart < 3; ++restart) {
        store.clock.advance(Duration(999));
        store.reopen();
    }

    EXPECT_FALSE(store.renew(grant).error) << "2,997 ms after a grant of 1,000";
    store.tick(Duration(999));
    EXPECT_EQ(code_of(*store.acquire(kLock)), ErrorCode::LockHeld);
    store.tick(Duration(1));
    EXPECT_FALSE(store.acquire(kLock)->error);
}

// etcd-io/etcd#9921: here a waiter has no lease that could die; what can end is its patience and
// its connection, and both are looked at before the grant, in the batch that frees the lock.
TEST(Traps, T17AWaiterWhoseTimeIsOverIsNotGrantedInTheBatchThatFreesTheLock) {
    StoreHarness store;
    store.acquire(kLock, {.ttl_ms = 1'000});
    ASSERT_FALSE(store.acquire(kLock, {.owner = "late", .wait_ms = 1'000}));
    const auto late = store.last_ticket();
    ASSERT_FALSE(store.acquire(kLock, {.owner = "there", .wait_ms = 5'000}));
    const auto there = store.last_ticket();

    const auto answers = store.tick(Duration(1'000));

    EXPECT_EQ(code_of(answers.at(late)), ErrorCode::LockHeld);
    EXPECT_FALSE(answers.at(there).error);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE owner = 'late'"), 0);
}

TEST(Traps, T17AWaiterIsForgottenByARestartAndNeverGranted) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock);
    ASSERT_FALSE(store.acquire(kLock, {.owner = "lost", .wait_ms = 60'000}));

    store.reopen();
    ASSERT_FALSE(store.release(grant).error);

    EXPECT_TRUE(has(store.lock(kLock).body, R"("state":"free")"));
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE owner = 'lost'"), 0);
}

}  // namespace
}  // namespace fencegate::testing
