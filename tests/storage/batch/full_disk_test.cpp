// What the store does when the disk is full, when a constraint fires, and when the disk fails.
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fencegate::testing {
namespace {

// No page beyond `pages`: SQLite answers SQLITE_FULL as it does when the disk has no room.
void limit_pages(StoreHarness& store, const std::string& pages) {
    store.connection->exec(("PRAGMA max_page_count = " + pages).c_str());
}

void fill(StoreHarness& store) {
    limit_pages(store, "1");  // SQLite raises it to the present size
    for (int index = 0; index < 2'000; ++index) {
        const auto answer = store.create("pay_" + std::to_string(index), 500);
        if (answer.error && answer.error->code == ErrorCode::StoreFull) return;
    }
    FAIL() << "the store never filled up";
}

TEST(FullDisk, RefusesWritesAndStillServesReads) {
    StoreHarness store;
    store.create("pay_42", 500);
    fill(store);

    EXPECT_EQ(code_of(store.create("one_more", 500)), ErrorCode::StoreFull);
    EXPECT_FALSE(store.payment("pay_42").error);
    EXPECT_FALSE(store.store->fatal());
    EXPECT_EQ(store.observer.errors.back(), storage::StoreError::Full);
}

TEST(FullDisk, AnswersTheReadsOfABatchWhoseWritesDoNotFit) {
    StoreHarness store;
    store.create("pay_42", 500);
    fill(store);
    std::vector<storage::Operation> batch;
    batch.push_back(storage::ReadPayment{"pay_42"});
    for (int index = 0; index < 500; ++index)
        batch.push_back(StoreHarness::acquire_of("lock/" + std::to_string(index)));

    const auto answers = store.run_batch(std::move(batch));

    EXPECT_FALSE(answers.at(store.last_ticket() - 500).error);
    const auto granted = std::ranges::count_if(
        answers, [](const auto& entry) { return entry.second.fencing_token.has_value(); });
    EXPECT_LT(granted, 500);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), granted);
}

TEST(FullDisk, KeepsRowsAndMemoryTogetherAndRecovers) {
    StoreHarness store;
    const auto holder = *store.acquire("a", {.ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("a", {.owner = "b", .wait_ms = 50'000}));
    const auto waiter = store.last_ticket();
    fill(store);
    // A release hands the lock on, which needs room for the next lease.
    std::map<std::uint64_t, storage::Answer> answers;
    for (int tries = 0; tries < 200 && !answers.contains(waiter); ++tries) {
        std::vector<storage::Operation> batch;
        for (int index = 0; index < 40; ++index)
            batch.push_back(StoreHarness::acquire_of("x/" + std::to_string(tries * 40 + index)));
        batch.push_back(storage::ReleaseLease{*parse_uuid(holder.resource_id)});
        answers = store.run_batch(std::move(batch));
        if (tries == 3) limit_pages(store, "1000000");
    }

    ASSERT_TRUE(answers.contains(waiter));
    EXPECT_FALSE(answers.at(waiter).error);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE lock = 'a' AND state = 0"), 1);
}

TEST(FullDisk, DoesNotHoldUpWhoWaitsInVain) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 1'000});
    store.acquire("b", {.ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("b", {.wait_ms = 1'200}));
    const auto waiter = store.last_ticket();
    fill(store);

    const auto answers = store.tick(Duration(1'200));

    ASSERT_TRUE(answers.contains(waiter));
    EXPECT_EQ(code_of(answers.at(waiter)), ErrorCode::LockHeld);
}

// There may be no room for the record; the refusal itself needs none.
TEST(FullDisk, StillRefusesAStaleWriteByItsReason) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto stale = *store.acquire("payments/pay_42");
    ASSERT_FALSE(store.release(stale).error);
    fill(store);

    for (int index = 0; index < 100; ++index) {
        const auto refused =
            store.refund("pay_42", stale.fencing_token, {.key = std::to_string(index)});
        ASSERT_EQ(code_of(refused), ErrorCode::FenceReleased) << index;
    }
    EXPECT_LT(store.number("SELECT refused FROM leases"), 100);
}

TEST(FullDisk, DoesNotKeepTheStoreAwakeWhileExpiriesWait) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 500});
    fill(store);

    store.tick(Duration(600));

    EXPECT_GT(store.store->next_deadline(), store.clock.boot_now());
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE state = 0"), 1);
}

TEST(FullDisk, WhoJoinedALineInABatchThatDidNotFitWaitsOnceAndMayLeave) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 60'000});
    fill(store);
    std::vector<storage::Operation> batch;
    batch.push_back(StoreHarness::acquire_of("a", {.wait_ms = 50'000}));
    for (int index = 0; index < 500; ++index)
        batch.push_back(StoreHarness::acquire_of("lock/" + std::to_string(index)));
    const auto answers = store.run_batch(std::move(batch));
    ASSERT_EQ(code_of(answers.rbegin()->second), ErrorCode::StoreFull);
    const storage::Ticket waiter(store.last_ticket() - 500);
    ASSERT_FALSE(answers.contains(waiter.value()));

    const auto routed = store.store->run({}, {&waiter, 1});

    ASSERT_EQ(routed.size(), 1U);
    EXPECT_EQ(code_of(routed.front().delivery.answer), ErrorCode::RequestTimeout);
    EXPECT_EQ(store.store->live().waiters().size(), 0U);
}

TEST(FullDisk, LetsExpiryWaitUntilThereIsRoom) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto grant = *store.acquire("payments/pay_42");
    fill(store);
    limit_pages(store, "1000000");

    store.tick(Duration(2'500));

    EXPECT_EQ(code_of(store.refund("pay_42", grant.fencing_token)), ErrorCode::FenceExpired);
}

TEST(Constraint, ThatRefusesAGrantDoesNotHoldUpTheExpiry) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 1'000});
    ASSERT_FALSE(store.acquire("a", {.owner = "unlucky", .wait_ms = 5'000}));
    const auto unlucky = store.last_ticket();
    ASSERT_FALSE(store.acquire("a", {.owner = "next", .wait_ms = 5'000}));
    const auto next = store.last_ticket();
    store.connection->exec(
        "CREATE TEMP TRIGGER sabotage BEFORE INSERT ON leases WHEN NEW.owner = 'unlucky' "
        "BEGIN SELECT RAISE(ABORT, 'sabotage'); END");

    const auto answers = store.tick(Duration(1'000));

    EXPECT_EQ(code_of(answers.at(unlucky)), ErrorCode::Internal);
    EXPECT_FALSE(answers.at(next).error);
    EXPECT_FALSE(store.store->fatal());
}

// The constraint fires after the row of the lease was written.
TEST(Constraint, ThatFiresInTheMiddleOfAGrantLeavesNothingOfIt) {
    StoreHarness store;
    store.connection->exec(
        "CREATE TEMP TRIGGER sabotage BEFORE INSERT ON lease_locks "
        "BEGIN SELECT RAISE(ABORT, 'sabotage'); END");

    EXPECT_EQ(code_of(*store.acquire("a", {.key = "k", .also = {"b"}})), ErrorCode::Internal);

    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM locks"), 0);
    EXPECT_EQ(store.number("SELECT sequence FROM store"), 0);
    EXPECT_TRUE(store.observer.all.empty());
    EXPECT_TRUE(store.observer.notices.empty());
    EXPECT_FALSE(store.acquire("a")->error);
}

TEST(Constraint, ThatFiresRefusesOneCommandAndKeepsItsNeighbours) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto grant = *store.acquire("payments/pay_42");
    store.connection->exec(
        "CREATE TEMP TRIGGER sabotage BEFORE INSERT ON transfers WHEN NEW.amount = 13 "
        "BEGIN SELECT RAISE(ABORT, 'sabotage'); END");
    std::vector<storage::Operation> batch;
    for (const std::int64_t amount : {11, 13, 17}) {
        batch.push_back(StoreHarness::refund_of("pay_42", grant.fencing_token,
                                                {.amount = amount, .key = std::to_string(amount)}));
    }

    const auto answers = store.run_batch(std::move(batch));

    const auto last = store.last_ticket();
    EXPECT_FALSE(answers.at(last - 2).error);
    EXPECT_EQ(code_of(answers.at(last - 1)), ErrorCode::Internal);
    EXPECT_FALSE(answers.at(last).error);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 28);
    EXPECT_EQ(store.number("SELECT count(*) FROM answers WHERE key = '13'"), 0);
    EXPECT_EQ(store.observer.errors, std::vector{storage::StoreError::Constraint});
}

}  // namespace
}  // namespace fencegate::testing
