// Lines of waiters in the store: bounded work for each release however long the line is, and nobody
// who could be served is left standing.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace fencegate::testing {
namespace {

using lockmgr::Claim;
using lockmgr::LockMode;
using storage::Answer;

constexpr Claim kReads{LockMode::Shared, 1};

storage::Operation release_of(const Answer& grant) {
    return storage::ReleaseLease{*parse_uuid(grant.resource_id)};
}

// What handing the lock on took, counted and not timed.
struct Work {
    std::size_t deliveries = 0;
    std::size_t events = 0;
    std::size_t notices = 0;
    std::size_t waiters_gone = 0;
    int rows = 0;

    friend bool operator==(const Work&, const Work&) = default;
};

Work hand_on(StoreHarness& store, Answer& holder) {
    const auto rows = ::sqlite3_total_changes(store.connection->handle());
    const auto waiting = store.store->live().waiters().size();
    store.observer.all.clear();
    store.observer.notices.clear();
    auto answers = store.run_batch({release_of(holder)});
    const Work work{.deliveries = answers.size(),
                    .events = store.observer.all.size(),
                    .notices = store.observer.notices.size(),
                    .waiters_gone = waiting - store.store->live().waiters().size(),
                    .rows = ::sqlite3_total_changes(store.connection->handle()) - rows};
    for (auto& [ticket, answer] : answers) {
        if (answer.fencing_token) holder = answer;
    }
    return work;
}

TEST(Lines, TenThousandWaitersDrainInOrderAtOneGrantAndTheSameWorkForEachRelease) {
    constexpr std::size_t kWaiters = 10'000;
    StoreHarness store;
    store.connection->exec("PRAGMA synchronous = OFF");  // this is not about durability
    auto holder = *store.acquire("a", {.ttl_ms = 3'600'000});
    std::vector<storage::Operation> asks(
        kWaiters, StoreHarness::acquire_of("a", {.ttl_ms = 3'600'000, .wait_ms = 60'000}));
    ASSERT_TRUE(store.run_batch(std::move(asks)).empty());
    const auto first_token = testing::number_of(holder.fencing_token);
    const Work expected{.deliveries = 2,  // to who released and to who is next
                        .events = 2,
                        .notices = 2,
                        .waiters_gone = 1,
                        .rows = 4};  // counter, the end of one lease, the other, the chain

    for (std::size_t served = 1; served <= kWaiters; ++served) {
        const auto work = hand_on(store, holder);

        ASSERT_EQ(work, expected) << "release " << served << ": " << work.deliveries << " "
                                  << work.events << " " << work.notices << " " << work.waiters_gone
                                  << " " << work.rows;
        ASSERT_EQ(testing::number_of(holder.fencing_token),
                  first_token + static_cast<std::int64_t>(served));
    }
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE state = 0"), 1);
    EXPECT_EQ(store.store->live().waiters().size(), 0U);
}

TEST(Lines, AreServedInOrderOfArrival) {
    StoreHarness store;
    auto holder = *store.acquire("a");
    std::vector<std::uint64_t> waiters;
    for (int index = 0; index < 20; ++index) {
        ASSERT_FALSE(store.acquire("a", {.wait_ms = 1'000 - index}));
        waiters.push_back(store.last_ticket());
    }

    for (const auto waiter : waiters) {
        const auto answers = store.run_batch({release_of(holder)});
        ASSERT_TRUE(answers.contains(waiter));
        holder = answers.at(waiter);
    }
}

// One batch serves a bounded number; the rest follow in the next, ahead of whoever comes.
TEST(Lines, MoreReadersThanOneBatchServesComeInWithTheNextAndNobodyOvertakes) {
    StoreHarness store;
    const auto writer = *store.acquire("a");
    std::vector<storage::Operation> asks(
        2'500, StoreHarness::acquire_of("a", {.wait_ms = 60'000, .claim = kReads}));
    ASSERT_TRUE(store.run_batch(std::move(asks)).empty());

    auto answers = store.run_batch({release_of(writer)});
    EXPECT_EQ(answers.size(), 1U + 1'024U);
    EXPECT_EQ(store.store->next_deadline(), store.clock.boot_now());
    EXPECT_EQ(code_of(*store.acquire("a", {.claim = kReads})), ErrorCode::LockHeld);
    for (int batch = 0; batch < 3; ++batch) store.tick(Duration(0));

    EXPECT_EQ(store.store->live().holdings().find(*lockmgr::LockName::parse("a"))->tokens.size(),
              2'500U);
    EXPECT_FALSE(store.acquire("a", {.claim = kReads})->error);
}

TEST(Lines, ThatAreTooLongForOneBatchDoNotHoldUpExpiries) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 1'000});
    store.acquire("b", {.ttl_ms = 1'001});
    std::vector<storage::Operation> asks(
        1'100,
        StoreHarness::acquire_of("a", {.ttl_ms = 9'000, .wait_ms = 60'000, .claim = kReads}));
    ASSERT_TRUE(store.run_batch(std::move(asks)).empty());

    store.tick(Duration(2'000));

    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE lock = 'b' AND state = 0"), 0);
}

// One batch answers a bounded number of those whose patience is over; the lock is free meanwhile.
TEST(Lines, NobodyIsGrantedAfterItsTimeAlthoughItWasNotToldYet) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 1'000});
    std::vector<storage::Operation> asks(1'500, StoreHarness::acquire_of("a", {.wait_ms = 1'000}));
    ASSERT_TRUE(store.run_batch(std::move(asks)).empty());

    auto answers = store.tick(Duration(1'000));
    answers.merge(store.tick(Duration(0)));

    EXPECT_EQ(answers.size(), 1'500U);
    for (const auto& [ticket, answer] : answers) ASSERT_EQ(code_of(answer), ErrorCode::LockHeld);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases"), 1);
}

TEST(Lines, AKeyThatWaitedInVainIsInFlightAgainWhenItWaitsAgain) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = 60'000});
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 100, .key = "k"}));
    store.tick(Duration(100));

    ASSERT_FALSE(store.acquire("a", {.wait_ms = 100, .key = "k"}));

    EXPECT_EQ(code_of(*store.acquire("a", {.wait_ms = 100, .key = "k"})),
              ErrorCode::IdempotencyInFlight);
}

TEST(Lines, AreBoundedByTheNarrowestClassOfTheLocksAskedFor) {
    StoreHarness store({{.name = "payments", .waiters_per_lock_max = 1}});
    store.acquire("payments/a");
    ASSERT_FALSE(store.acquire("payments/a", {.wait_ms = 5'000}));

    EXPECT_EQ(code_of(*store.acquire("payments/a", {.wait_ms = 5'000})), ErrorCode::QueueFull);
    EXPECT_EQ(code_of(*store.acquire("x", {.wait_ms = 5'000, .also = {"payments/a"}})),
              ErrorCode::QueueFull);
}

TEST(LockDelay, KeepsALockFreeForAWhileAfterAnExpiryAndThenServesTheLine) {
    StoreHarness store({{.name = "payments", .lock_delay = Duration(500)}});
    store.acquire("payments/a", {.ttl_ms = 1'000});
    ASSERT_FALSE(store.acquire("payments/a", {.wait_ms = 60'000}));
    const auto waiter = store.last_ticket();

    EXPECT_TRUE(store.tick(Duration(1'000)).empty());
    const auto refused = *store.acquire("payments/a");
    EXPECT_EQ(code_of(refused), ErrorCode::LockHeld);
    EXPECT_EQ(member_of(refused, "rests_for_ms"), "500");
    EXPECT_TRUE(store.tick(Duration(499)).empty());
    const auto answers = store.tick(Duration(1));

    EXPECT_FALSE(answers.at(waiter).error);
}

TEST(LockDelay, DoesNotApplyToAReleaseOrABreak) {
    StoreHarness store({{.name = "payments", .lock_delay = Duration(500)}});
    const auto released = *store.acquire("payments/a");
    ASSERT_FALSE(store.release(released).error);
    const auto broken = *store.acquire("payments/a");
    ASSERT_FALSE(broken.error);
    const auto name = *lockmgr::LockName::parse("payments/a");
    ASSERT_FALSE(store.run(storage::BreakLock{name, *broken.fencing_token, "stuck"})->error);

    EXPECT_FALSE(store.acquire("payments/a")->error);
}

// A waiter that leaves while the disk is full has its line looked at later; that must not end the
// rest of the lock before its time.
TEST(LockDelay, IsNotCutShortByAFullDisk) {
    StoreHarness store({{.name = "payments", .lock_delay = Duration(60'000)}});
    store.acquire("payments/a", {.ttl_ms = 1'000});
    ASSERT_FALSE(store.acquire("payments/a", {.wait_ms = 1'200}));
    ASSERT_FALSE(store.acquire("payments/a", {.wait_ms = 900'000}));
    const auto waiter = store.last_ticket();
    store.tick(Duration(1'000));
    store.connection->exec("PRAGMA max_page_count = 1");
    for (int index = 0; index < 2'000; ++index) {
        const auto answer = store.create("pay_" + std::to_string(index), 500);
        if (answer.error) break;
    }

    store.tick(Duration(200));  // the first waiter's patience ends
    store.connection->exec("PRAGMA max_page_count = 1000000");
    EXPECT_TRUE(store.tick(Duration(10'000)).empty());
    const auto answers = store.tick(Duration(60'000));

    EXPECT_FALSE(answers.at(waiter).error);
}

// What a dashboard shows while nothing is granted and nothing ends.
TEST(Lines, AreToldWhenSomebodyComesToWaitAndWhenTheyLeave) {
    StoreHarness store;
    store.acquire("payments/pay_1", {.ttl_ms = 60'000});
    const auto& payments = store.observer.levels[0];
    ASSERT_EQ(payments.waiting, 0U);

    ASSERT_FALSE(store.acquire("payments/pay_1", {.wait_ms = 1'000}));
    const auto since = store.clock.boot_now();
    EXPECT_EQ(payments.waiting, 1U);
    EXPECT_EQ(payments.oldest_waiter_since, since);

    store.clock.advance(Duration(500));
    ASSERT_FALSE(store.acquire("payments/pay_1", {.wait_ms = 1'000}));
    EXPECT_EQ(payments.waiting, 2U);
    EXPECT_EQ(payments.oldest_waiter_since, since);

    store.tick(Duration(500));  // the first one's patience ends
    EXPECT_EQ(payments.waiting, 1U);
    EXPECT_EQ(payments.oldest_waiter_since, store.clock.boot_now() - Duration(500));

    EXPECT_EQ(store.store->drain().size(), 1U);
    EXPECT_EQ(payments.waiting, 0U);
    EXPECT_EQ(payments.oldest_waiter_since, std::nullopt);
}

TEST(Lines, ADrainAnswersWhoWaitsForSeveralLocksOnce) {
    StoreHarness store;
    store.acquire("a", {.also = {"b"}});
    ASSERT_FALSE(store.acquire("a", {.wait_ms = 5'000, .also = {"b"}}));
    ASSERT_FALSE(store.acquire("b", {.wait_ms = 5'000}));

    const auto routed = store.store->drain();

    EXPECT_EQ(routed.size(), 2U);
    EXPECT_EQ(store.store->live().waiters().size(), 0U);
}

}  // namespace
}  // namespace fencegate::testing
