// One lease over several locks: all or none, one token, one life, and lines that do not tie a knot.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using lockmgr::Claim;
using lockmgr::LockMode;

storage::Operation release_of(const storage::Answer& grant) {
    return storage::ReleaseLease{*parse_uuid(grant.resource_id)};
}

TEST(SeveralLocks, AreGrantedTogetherUnderOneToken) {
    StoreHarness store;

    const auto grant = *store.acquire("b", {.also = {"a", "c"}});

    EXPECT_TRUE(has(grant.body, R"("locks":["a","b","c"])"));
    for (const char* lock : {"a", "b", "c"}) {
        EXPECT_TRUE(
            has(store.lock(lock).body,
                "\"fencing_token\":" + std::to_string(testing::number_of(grant.fencing_token))));
    }
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
}

TEST(SeveralLocks, AreGrantedAllOrNone) {
    StoreHarness store;
    ASSERT_FALSE(store.acquire("b")->error);

    const auto refused = *store.acquire("a", {.also = {"b"}});

    EXPECT_EQ(code_of(refused), ErrorCode::LockHeld);
    EXPECT_EQ(member_of(refused, "lock"), "b");
    EXPECT_TRUE(has(store.lock("a").body, R"("state":"free")"));
}

TEST(SeveralLocks, AreReleasedTogetherAndWakeEveryLine) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.also = {"b"}});
    std::vector<std::uint64_t> waiters;
    for (const char* lock : {"a", "b"}) {
        ASSERT_FALSE(store.acquire(lock, {.wait_ms = 5'000}));
        waiters.push_back(store.last_ticket());
    }

    const auto answers = store.run_batch({release_of(grant)});

    for (const auto waiter : waiters) EXPECT_FALSE(answers.at(waiter).error);
}

TEST(SeveralLocks, GuardWritesUnderEachOfThemAndNoOther) {
    StoreHarness store;
    store.create("pay_1", 500);
    store.create("pay_2", 500);
    store.create("pay_3", 500);
    const auto grant = *store.acquire("payments/pay_1", {.also = {"payments/pay_2"}});

    EXPECT_FALSE(store.refund("pay_1", grant.fencing_token, {.key = "1"}).error);
    EXPECT_FALSE(store.refund("pay_2", grant.fencing_token, {.key = "2"}).error);
    EXPECT_EQ(code_of(store.refund("pay_3", grant.fencing_token, {.key = "3"})),
              ErrorCode::FenceLockMismatch);
}

// Granting one of its locks to somebody else fences the whole lease, also where the class accepts
// late writes.
TEST(SeveralLocks, AreSupersededAsAWholeByAGrantOfOne) {
    StoreHarness store({{.name = "payments", .accepts_late_writes = true}});
    store.create("pay_1", 500);
    store.create("pay_2", 500);
    const auto old = *store.acquire("payments/pay_1", {.also = {"payments/pay_2"}});
    store.tick(Duration(1'001));
    ASSERT_FALSE(store.acquire("payments/pay_2", {.owner = "next"})->error);

    EXPECT_EQ(code_of(store.refund("pay_1", old.fencing_token, {.key = "1"})),
              ErrorCode::FenceStale);
    EXPECT_EQ(code_of(store.refund("pay_2", old.fencing_token, {.key = "2"})),
              ErrorCode::FenceStale);
}

TEST(SeveralLocks, ARefusedWriteNamesTheHolderOfTheLockItNeeds) {
    StoreHarness store;
    store.create("pay_2", 500);
    const auto old = *store.acquire("payments/pay_1", {.also = {"payments/pay_2"}});
    store.tick(Duration(1'001));
    const auto next = *store.acquire("payments/pay_2", {.owner = "next"});

    const auto refused = store.refund("pay_2", old.fencing_token);

    ASSERT_EQ(code_of(refused), ErrorCode::FenceStale);
    EXPECT_EQ(member_of(refused, "current_token"),
              std::to_string(testing::number_of(next.fencing_token)));
}

TEST(SeveralLocks, ARefusedWriteDoesNotNameTheHolderOfAnother) {
    StoreHarness store;
    store.create("pay_2", 500);
    const auto old = *store.acquire("payments/pay_1", {.also = {"payments/pay_2"}});
    store.tick(Duration(1'001));
    store.acquire("payments/pay_1", {.owner = "other"});
    EXPECT_EQ(member_of(store.refund("pay_2", old.fencing_token), "current_token"), std::nullopt);

    const auto next = *store.acquire("payments/pay_2", {.owner = "next"});

    EXPECT_EQ(member_of(store.refund("pay_2", old.fencing_token), "current_token"),
              std::to_string(testing::number_of(next.fencing_token)));
}

TEST(SeveralLocks, ARenewalOfASupersededLeaseNamesTheHolderOfWhicheverWasGrantedAgain) {
    StoreHarness store;
    const auto old = *store.acquire("a", {.also = {"b"}});
    store.tick(Duration(1'001));
    const auto next = *store.acquire("b", {.owner = "next"});

    const auto refused = store.renew(old);

    ASSERT_EQ(code_of(refused), ErrorCode::GoneStale);
    EXPECT_EQ(member_of(refused, "current_token"),
              std::to_string(testing::number_of(next.fencing_token)));
}

TEST(SeveralLocks, SurviveARestart) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.also = {"b", "c"}});

    store.reopen();

    EXPECT_EQ(code_of(*store.acquire("c")), ErrorCode::LockHeld);
    EXPECT_FALSE(store.renew(grant).error);
    ASSERT_FALSE(store.release(grant).error);
    EXPECT_FALSE(store.acquire("c")->error);
}

TEST(SeveralLocks, ALostGrantIsAnsweredAgainWithTheSameLease) {
    StoreHarness store;
    const auto first = *store.acquire("a", {.key = "k", .also = {"b"}});

    const auto again = *store.acquire("a", {.key = "k", .also = {"b"}});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.resource_id, first.resource_id);
    EXPECT_TRUE(has(again.body, R"("locks":["a","b"])"));
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
}

TEST(SeveralLocks, AreBrokenAsAWholeByOneOfTheirNames) {
    StoreHarness store;
    const auto grant = *store.acquire("a", {.also = {"b"}});
    const auto b = *lockmgr::LockName::parse("b");

    ASSERT_FALSE(store.run(storage::BreakLock{b, *grant.fencing_token, "stuck"})->error);

    EXPECT_EQ(code_of(store.renew(grant)), ErrorCode::GoneBroken);
    EXPECT_FALSE(store.acquire("a", {.also = {"b"}})->error);
}

// {a,b} waits for a; whoever wants only b stands behind it, and goes when it gives up.
TEST(SeveralLocks, AWaiterForSeveralKeepsItsPlaceInEveryLine) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("a", {.owner = "both", .wait_ms = 500, .also = {"b"}}));
    const auto both = store.last_ticket();
    EXPECT_EQ(code_of(*store.acquire("b")), ErrorCode::LockHeld);
    ASSERT_FALSE(store.acquire("b", {.owner = "one", .wait_ms = 5'000}));
    const auto one = store.last_ticket();

    const auto answers = store.tick(Duration(500));

    EXPECT_EQ(code_of(answers.at(both)), ErrorCode::LockHeld);
    ASSERT_TRUE(answers.contains(one));
    EXPECT_FALSE(answers.at(one).error);
}

// c is held. {b,c} is first for b and waits; {a,b} is first for a, which is let go, and b is free:
// it must stand behind all the same.
TEST(SeveralLocks, NobodyOvertakesInAnyOfItsLines) {
    StoreHarness store;
    store.acquire("c", {.ttl_ms = 60'000});
    const auto a = *store.acquire("a", {.ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("b", {.wait_ms = 5'000, .also = {"c"}}));
    const auto first = store.last_ticket();
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 50'000, .also = {"b"}}));
    const auto second = store.last_ticket();

    EXPECT_FALSE(store.run_batch({release_of(a)}).contains(second));
    const auto answers = store.tick(Duration(5'000));

    EXPECT_EQ(code_of(answers.at(first)), ErrorCode::LockHeld);
    EXPECT_FALSE(answers.at(second).error);
}

// The grant to who waits for {a,b} must also look at who is next in b's line: it may share.
TEST(SeveralLocks, AGrantOfSeveralLooksAtWhoIsNextInEachLine) {
    StoreHarness store;
    const Claim reads{LockMode::Shared, 1};
    const auto writer = *store.acquire("a");
    ASSERT_FALSE(
        store.acquire("a", {.owner = "both", .wait_ms = 5'000, .claim = reads, .also = {"b"}}));
    const auto both = store.last_ticket();
    ASSERT_FALSE(store.acquire("b", {.owner = "b-reader", .wait_ms = 5'000, .claim = reads}));
    const auto reader = store.last_ticket();

    const auto answers = store.run_batch({release_of(writer)});

    EXPECT_FALSE(answers.at(both).error);
    ASSERT_TRUE(answers.contains(reader));
    EXPECT_FALSE(answers.at(reader).error);
}

TEST(SeveralLocks, AskedForCrosswiseNeverWaitInACircle) {
    StoreHarness store;
    const auto ab = *store.acquire("a", {.also = {"b"}});
    std::vector<std::uint64_t> waiters;
    const std::vector<std::vector<std::string>> wishes = {{"b", "c"}, {"c", "a"}, {"a", "b"}};
    for (const auto& wish : wishes) {
        ASSERT_FALSE(store.acquire(wish[0], {.wait_ms = 50'000, .also = {wish[1]}}));
        waiters.push_back(store.last_ticket());
    }

    auto answers = store.run_batch({release_of(ab)});

    for (const auto waiter : waiters) {
        ASSERT_TRUE(answers.contains(waiter));
        ASSERT_FALSE(answers.at(waiter).error);
        answers = store.run_batch({release_of(answers.at(waiter))});
    }
    EXPECT_EQ(store.store->live().holdings().locks(), 0U);
}

TEST(SeveralLocks, ADefaultTtlFitsTheBoundsOfEveryClass) {
    StoreHarness store({{.name = "long", .ttl_min = Duration(10'000)},
                        {.name = "short", .ttl_default = Duration(5'000)}});
    const auto name = [](const char* text) { return *lockmgr::LockName::parse(text); };

    const auto grant = *store.run(storage::AcquireLock{.locks = {name("long/a"), name("short/a")}});

    EXPECT_FALSE(grant.error);
    EXPECT_TRUE(has(grant.body, R"("ttl_ms":10000)"));
}

}  // namespace
}  // namespace fencegate::testing
