// The delays of the gateway are its own: a commit that hangs, a process that stands still and work
// that queues up cost no holder its lease, and keep no dead holder's lease for ever.
#include "tests/support/answers.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace fencegate::storage::sqlite {
namespace {

using testing::code_of;
using testing::has;
using testing::member_of;
using testing::StoreHarness;

constexpr Duration kTtl{1'000};

std::string remaining(std::int64_t ms) { return "\"remaining_ms\":" + std::to_string(ms) + ","; }

// A store on a disk whose syncs take as long as a test says.
class Stalls : public ::testing::Test {
protected:
    Stalls() {
        store.create("pay_1", 10'000);
        disk.on_sync([this] { store.clock.leap(sync_takes_); });
    }

    // Every commit, until told otherwise.
    void let_syncs_take(Duration span) { sync_takes_ = span; }

    // Somebody else's payment, whose commit takes as long.
    void hang(Duration span) {
        let_syncs_take(span);
        store.create("other_" + std::to_string(++others_), 500);
        let_syncs_take(Duration(0));
    }

    BootTime now() { return store.clock.boot_now(); }

    // Executed now, in the batch of the others.
    void ask(Operation operation, BootTime arrived) {
        requests_.push_back({Ticket(++ticket_), nullptr, {"worker", "r", std::move(operation)}});
        requests_.back().arrived = arrived;
    }
    std::map<std::uint64_t, Answer> run(std::optional<BootTime> taken = {}) {
        std::map<std::uint64_t, Answer> answers;
        for (auto& routed : store.store->run(requests_, {}, taken))
            answers[routed.delivery.ticket.value()] = std::move(routed.delivery.answer);
        requests_.clear();
        return answers;
    }
    Answer run_one(Operation operation, BootTime arrived) {
        ask(std::move(operation), arrived);
        return run().at(ticket_);
    }

    static Operation renewal_of(const Answer& grant) {
        return RenewLease{.lease_id = *parse_uuid(grant.resource_id)};
    }
    Answer lease(const Answer& grant) {
        return *store.run(ReadLease{*parse_uuid(grant.resource_id)});
    }
    bool is_live(const Answer& grant) { return has(lease(grant).body, "\"state\":\"live\""); }

    testing::ForgetfulDisk disk;
    StoreHarness store{{{.name = "payments"}, {.name = "slow", .lock_delay = Duration(2'000)}}};

private:
    Duration sync_takes_{0};
    std::vector<Request> requests_;
    std::uint64_t ticket_ = 1'000'000;
    int others_ = 0;
};

TEST_F(Stalls, ALeaseRunsFromTheEndOfTheCommitThatGrantsIt) {
    let_syncs_take(Duration(1'500));

    const auto grant = *store.acquire("a");

    let_syncs_take(Duration(0));
    EXPECT_TRUE(has(grant.body, remaining(1'000)));
    EXPECT_TRUE(has(lease(grant).body, remaining(1'000)));
    store.tick(Duration(999));
    EXPECT_TRUE(is_live(grant));
    store.tick(Duration(1));
    EXPECT_FALSE(is_live(grant));
}

TEST_F(Stalls, ARenewalRunsFromTheEndOfItsCommit) {
    const auto grant = *store.acquire("a");
    store.clock.advance(Duration(900));
    let_syncs_take(Duration(1'500));

    const auto renewed = store.renew(grant, 2'000);  // another TTL is written down

    let_syncs_take(Duration(0));
    EXPECT_TRUE(has(renewed.body, remaining(2'000)));
    EXPECT_TRUE(has(lease(grant).body, remaining(2'000)));
}

TEST_F(Stalls, ARenewalThatCameInTimeIsGoodAfterAnothersCommitHung) {
    const auto grant = *store.acquire("a");
    store.clock.advance(Duration(500));
    const auto came = now() + Duration(400);
    hang(Duration(4'000));

    const auto renewed = run_one(renewal_of(grant), came);

    EXPECT_FALSE(renewed.error);
    EXPECT_TRUE(has(renewed.body, remaining(1'000)));
}

// Delays that are too short to be stalls add up in a queue.
TEST_F(Stalls, WhoCameInTimeIsInTimeHoweverLongItQueued) {
    const auto grant = *store.acquire("payments/pay_1");
    store.clock.advance(Duration(950));
    const auto came = now() + Duration(10);
    hang(Duration(150));

    ask(StoreHarness::refund_of("pay_1", grant.fencing_token, {.key = "in-time"}), came);
    const auto refund = run().begin()->second;

    EXPECT_FALSE(refund.error);
    EXPECT_FALSE(is_live(grant)) << "its time is over all the same";
}

TEST_F(Stalls, WhoCameTooLateIsTooLateAlthoughItQueuedBesideSomebodyInTime) {
    const auto early = *store.acquire("a");
    const auto late = *store.acquire("b");
    store.clock.advance(Duration(990));
    const auto end = now() + Duration(10);
    hang(Duration(150));

    ask(renewal_of(early), end - Duration(1));
    ask(renewal_of(late), end + Duration(1));
    const auto answers = run();

    EXPECT_FALSE(answers.begin()->second.error);
    EXPECT_EQ(code_of(answers.rbegin()->second), ErrorCode::GoneExpired);
}

TEST_F(Stalls, NobodyInLineIsGrantedBeforeARenewalThatCameInTime) {
    const auto grant = *store.acquire("a");
    ASSERT_FALSE(store.acquire("a", {.owner = "b", .wait_ms = 60'000}));
    const auto waiter = store.last_ticket();
    store.clock.advance(Duration(950));
    const auto came = now() + Duration(10);
    hang(Duration(150));

    ask(renewal_of(grant), came);
    const auto answers = run();

    EXPECT_FALSE(answers.contains(waiter));
    EXPECT_TRUE(is_live(grant));
}

// What has arrived and is not taken yet may be a renewal.
TEST_F(Stalls, NothingEndsThatFallsDueAfterTheInboxWasTaken) {
    const auto grant = *store.acquire("a");
    store.clock.advance(Duration(990));
    const auto taken = now();
    store.clock.advance(Duration(20));

    static_cast<void>(run(taken));
    const auto renewed = run_one(renewal_of(grant), taken + Duration(5));

    EXPECT_FALSE(renewed.error);
}

TEST_F(Stalls, AStallIsGivenBackToEveryLease) {
    const auto grant = *store.acquire("a");
    store.clock.advance(Duration(400));

    hang(Duration(4'000));

    EXPECT_TRUE(has(lease(grant).body, remaining(600)));
    store.tick(Duration(599));
    EXPECT_TRUE(is_live(grant));
    store.tick(Duration(1));
    EXPECT_FALSE(is_live(grant));
}

TEST_F(Stalls, AProcessThatStandsStillTakesNobodysTime) {
    const auto grant = *store.acquire("a");
    store.tick(Duration(400));

    store.clock.leap(std::chrono::hours(3));
    store.tick(Duration(0));

    EXPECT_TRUE(has(lease(grant).body, remaining(600)));
}

TEST_F(Stalls, AStallIsGivenBackToLocksThatRest) {
    store.acquire("slow/a");
    store.tick(kTtl);
    ASSERT_EQ(member_of(*store.acquire("slow/a"), "rests_for_ms"), "2000");

    hang(Duration(4'000));

    EXPECT_EQ(member_of(*store.acquire("slow/a"), "rests_for_ms"), "2000");
}

TEST_F(Stalls, ASlowDiskServesShortLeasesWithProgress) {
    let_syncs_take(Duration(1'500));
    const auto grant = *store.acquire("payments/pay_1");

    for (int round = 0; round < 20; ++round) {
        store.clock.advance(Duration(300));
        ASSERT_FALSE(store.renew(grant).error) << round;
        const auto refund =
            store.refund("pay_1", grant.fencing_token, {.key = "r" + std::to_string(round)});
        ASSERT_FALSE(refund.error) << round;
    }

    EXPECT_FALSE(store.release(grant).error);
}

TEST_F(Stalls, ASlowDiskThatIsAlwaysBusyStillEndsTheLeasesOfTheDead) {
    const auto dead = *store.acquire("a");

    int batches = 0;
    for (; is_live(dead) && batches < 100; ++batches) hang(Duration(1'500));

    EXPECT_LE(batches, 8);
    EXPECT_TRUE(store.acquire("a", {.owner = "b"})->fencing_token);
}

TEST_F(Stalls, AHolderIsNotRenewedPastItsDeadlineWhileMuchElseIsDue) {
    std::vector<Operation> many;
    for (int lock = 0; lock < 600; ++lock)
        many.push_back(StoreHarness::acquire_of("many/" + std::to_string(lock)));
    store.run_batch(std::move(many));
    store.clock.advance(Duration(1));
    const auto last = *store.acquire("payments/pay_1");
    store.clock.advance(Duration(1'000));

    const auto renewed = store.renew(last);

    EXPECT_EQ(code_of(renewed), ErrorCode::GoneExpired);
    EXPECT_EQ(store.number("SELECT state FROM leases ORDER BY token DESC LIMIT 1"),
              static_cast<std::int64_t>(lockmgr::LeaseState::Expired));
}

TEST_F(Stalls, WhatIsOverIsToldToBeOverBeforeItsEndIsWritten) {
    std::vector<Operation> many;
    for (int lock = 0; lock < 600; ++lock)
        many.push_back(StoreHarness::acquire_of("many/" + std::to_string(lock)));
    store.run_batch(std::move(many));
    store.clock.advance(Duration(1));
    const auto last = *store.acquire("a");
    store.clock.advance(Duration(1'000));

    const auto verified =
        *store.run(VerifyFence{*lockmgr::LockName::parse("a"), *last.fencing_token});
    ASSERT_GT(store.number("SELECT count(*) FROM leases WHERE state = 0"), 0);

    EXPECT_TRUE(has(verified.body, "\"live\":false"));
    EXPECT_TRUE(has(verified.body, "\"state\":\"expired\""));
}

TEST_F(Stalls, AFullDiskRenewsNothingThatIsOver) {
    const auto grant = *store.acquire("payments/pay_1");
    disk.fail_at(1, SQLITE_FULL, 1'000'000);
    store.clock.advance(Duration(1'000));

    const auto renewed = store.renew(grant);
    const auto asked = *store.acquire("payments/pay_1", {.owner = "b"});

    EXPECT_EQ(code_of(renewed), ErrorCode::GoneExpired);
    EXPECT_EQ(code_of(asked), ErrorCode::LockHeld);
    EXPECT_FALSE(has(asked.error->detail, "Another holder"));
    EXPECT_EQ(asked.error->retry_after_ms, 1'000);
}

struct RetryCase {
    const char* name;
    std::int64_t left;
    std::int64_t retry;
};
class RetryAfter : public ::testing::TestWithParam<RetryCase> {};

TEST_P(RetryAfter, IsBetweenOneAndFiveSeconds) {
    StoreHarness store;
    store.acquire("a", {.ttl_ms = GetParam().left});

    const auto refused = *store.acquire("a", {.owner = "b"});

    EXPECT_EQ(refused.error->retry_after_ms, GetParam().retry);
    EXPECT_EQ(member_of(refused, "holder_remaining_ms"), std::to_string(GetParam().left));
}

INSTANTIATE_TEST_SUITE_P(Lefts, RetryAfter,
                         ::testing::Values(RetryCase{"NearlyOver", 100, 1'000},
                                           RetryCase{"Between", 3'200, 3'200},
                                           RetryCase{"AnHour", 3'600'000, 5'000}),
                         [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace fencegate::storage::sqlite
