// The brakes on a holder that hangs while its heartbeat goes on: max_hold and progress.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;

constexpr const char* kLock = "payments/pay_42";

Answer renew(StoreHarness& store, const Answer& grant, std::optional<std::int64_t> progress = {}) {
    return *store.run(
        storage::RenewLease{.lease_id = *parse_uuid(grant.resource_id), .progress = progress});
}

TEST(Renewals, GoNoFurtherThanMaxHold) {
    StoreHarness store({{.name = "payments", .max_hold = Duration(2'500)}});
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    store.tick(Duration(900));
    ASSERT_FALSE(renew(store, grant).error);
    store.tick(Duration(900));

    const auto last = renew(store, grant);

    EXPECT_TRUE(has(last.body, R"("remaining_ms":700)"));
    EXPECT_TRUE(has(last.body, R"("warning":"max_hold","hold_left_ms":700)"));
    EXPECT_EQ(code_of(renew(store, grant)), ErrorCode::MaxHoldReached);
    store.tick(Duration(699));
    EXPECT_TRUE(has(store.lock(kLock).body, R"("state":"held")"));
    store.tick(Duration(1));
    EXPECT_TRUE(has(store.lock(kLock).body, R"("state":"free")"));
}

TEST(Renewals, AGrantIsCutToMaxHoldToo) {
    StoreHarness store({{.name = "payments", .max_hold = Duration(500)}});

    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});

    EXPECT_TRUE(has(grant.body, R"("remaining_ms":500)"));
    store.tick(Duration(500));
    EXPECT_EQ(code_of(renew(store, grant)), ErrorCode::GoneExpired);
}

TEST(Renewals, AreWarnedWithoutProgressAndThenRefused) {
    StoreHarness store({{.name = "payments", .stalled_renewals_max = 2}});
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    ASSERT_FALSE(has(renew(store, grant, 7).body, "warning"));

    EXPECT_TRUE(has(renew(store, grant, 7).body, R"("stalled_renewals_left":1)"));
    EXPECT_TRUE(has(renew(store, grant).body, R"("stalled_renewals_left":0)"));
    store.tick(Duration(600));
    EXPECT_EQ(code_of(renew(store, grant, 7)), ErrorCode::NoProgress);
    EXPECT_FALSE(renew(store, grant, 8).error);
    store.tick(Duration(600));

    EXPECT_FALSE(renew(store, grant, 9).error) << "the renewal with progress moved the deadline";
}

TEST(Renewals, ThatAreRefusedLeaveTheDeadlineWhereItWas) {
    StoreHarness store({{.name = "payments", .stalled_renewals_max = 1}});
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    renew(store, grant, 1);
    renew(store, grant, 1);
    store.tick(Duration(500));

    ASSERT_EQ(code_of(renew(store, grant, 1)), ErrorCode::NoProgress);

    store.tick(Duration(500));
    EXPECT_EQ(code_of(renew(store, grant, 2)), ErrorCode::GoneExpired);
}

TEST(Renewals, OfWhoNeverSendsProgressAreNotCounted) {
    StoreHarness store({{.name = "payments", .stalled_renewals_max = 1}});
    const auto grant = *store.acquire(kLock);

    for (int times = 0; times < 5; ++times) EXPECT_FALSE(renew(store, grant).error);
}

// The last bytes of an id are the token, which anybody may read; the rest must match too.
TEST(Renewals, OfAnIdThatOnlyEndsLikeALeasesAreRefused) {
    StoreHarness store;
    auto grant = *store.acquire(kLock);
    grant.resource_id[0] = grant.resource_id[0] == 'f' ? '0' : 'f';

    EXPECT_EQ(code_of(renew(store, grant)), ErrorCode::LeaseNotFound);
    EXPECT_EQ(code_of(store.release(grant)), ErrorCode::LeaseNotFound);
}

TEST(Renewals, AreForgottenWithTheirLease) {
    StoreHarness store({{.name = "payments", .max_hold = Duration(5'000)}});
    const auto grant = *store.acquire(kLock);
    const auto token = *grant.fencing_token;
    ASSERT_TRUE(store.store->live().renewals_of(token));

    ASSERT_FALSE(store.release(grant).error);

    EXPECT_FALSE(store.store->live().renewals_of(token));
}

TEST(Renewals, OfALeaseOverSeveralLocksObeyTheStrictestClass) {
    StoreHarness store({{.name = "payments", .max_hold = Duration(700)}});

    const auto grant = *store.acquire("free", {.ttl_ms = 1'000, .also = {kLock}});

    EXPECT_TRUE(has(grant.body, R"("remaining_ms":700)"));
}

TEST(Renewals, AreCutToMaxHoldAfterARestartToo) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});

    store.reopen({{.name = "payments", .max_hold = Duration(500)}});

    store.tick(Duration(500));
    EXPECT_EQ(code_of(renew(store, grant)), ErrorCode::GoneExpired);
}

TEST(Renewals, AreCountedAnewAfterARestart) {
    StoreHarness store({{.name = "payments", .max_hold = Duration(1'500)}});
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    store.tick(Duration(900));

    store.reopen();
    store.tick(Duration(900));

    EXPECT_TRUE(has(renew(store, grant).body, R"("remaining_ms":600)"));
}

}  // namespace
}  // namespace fencegate::testing
