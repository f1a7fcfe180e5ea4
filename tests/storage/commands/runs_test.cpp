// Run once: one claim per job and instant, and an outcome that stays.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace fencegate::testing {
namespace {

using storage::Answer;

constexpr const char* kSlot = "2025-12-31T23:59:00Z";  // a minute before the harness's clock
constexpr const char* kLock = "runs/job/2025-12-31T23:59:00Z";

storage::Operation claim(std::optional<Duration> start_within = {}, std::int64_t wait_ms = 0,
                         const char* slot = kSlot) {
    auto operation =
        StoreHarness::acquire_of(std::string("runs/job/") + slot, {.wait_ms = wait_ms});
    std::get<storage::AcquireLock>(operation).purpose =
        storage::ClaimRun{"job", *lockmgr::RunSlot::parse(slot), start_within};
    return operation;
}

storage::Operation finish_of(testing::Token token, bool is_done, std::string result = "") {
    return storage::FinishRun{.job = "job",
                              .slot = *lockmgr::RunSlot::parse(kSlot),
                              .is_done = is_done,
                              .result = std::move(result),
                              .token = testing::presented(token)};
}

Answer finish(StoreHarness& store, testing::Token token, bool is_done = true) {
    return *store.run(finish_of(token, is_done));
}

std::string read(StoreHarness& store) {
    return store.run(storage::ReadRun{"job", *lockmgr::RunSlot::parse(kSlot)})->body;
}

TEST(Runs, AreClaimedOnceWhileTheClaimLives) {
    StoreHarness store;
    const auto first = *store.run(claim());

    EXPECT_EQ(code_of(*store.run(claim())), ErrorCode::LockHeld);
    EXPECT_TRUE(has(read(store), R"("state":"claimed")"));
    EXPECT_TRUE(has(read(store), R"("claim_is_live":true)"));
    EXPECT_TRUE(first.fencing_token);
}

TEST(Runs, ThatAreDoneStayDone) {
    StoreHarness store;
    const auto run = *store.run(claim());

    const auto done = *store.run(finish_of(run.fencing_token, true, "42 rows"));

    ASSERT_FALSE(done.error);
    EXPECT_TRUE(has(done.body, R"("state":"done")"));
    EXPECT_TRUE(has(done.body, R"("result":"42 rows")"));
    EXPECT_EQ(code_of(*store.run(claim())), ErrorCode::RunDone);
    EXPECT_TRUE(has(store.lock(kLock).body, R"("state":"free")"));
}

TEST(Runs, AFinishSentTwiceIsAnsweredTwice) {
    StoreHarness store;
    const auto run = *store.run(claim());
    ASSERT_FALSE(finish(store, run.fencing_token).error);

    EXPECT_FALSE(finish(store, run.fencing_token).error);
    EXPECT_EQ(code_of(finish(store, run.fencing_token, false)), ErrorCode::FenceReleased);
    EXPECT_TRUE(has(read(store), R"("state":"done")"));
}

// Told as recorded, it would be believed.
TEST(Runs, AFinishSentAgainWithAnotherResultIsRefused) {
    for (const bool is_done : {true, false}) {
        StoreHarness store;
        const auto run = *store.run(claim());
        ASSERT_FALSE(store.run(finish_of(run.fencing_token, is_done, "42 rows"))->error);

        const auto other = *store.run(finish_of(run.fencing_token, is_done, "43 rows"));

        ASSERT_TRUE(other.error);
        EXPECT_EQ(code_of(other), is_done ? ErrorCode::RunDone : ErrorCode::FenceReleased);
        EXPECT_TRUE(has(other.error->detail, "with another result")) << other.error->detail;
        EXPECT_FALSE(store.run(finish_of(run.fencing_token, is_done, "42 rows"))->error);
        EXPECT_TRUE(has(read(store), R"("result":"42 rows")"));
    }
}

TEST(Runs, AFinishSentAgainByAnotherPrincipalIsNotItsToSend) {
    StoreHarness store;
    const auto run = *store.run(claim());
    ASSERT_FALSE(finish(store, run.fencing_token).error);

    EXPECT_EQ(code_of(*store.run(finish_of(run.fencing_token, true), "thief")),
              ErrorCode::FenceNotHolder);
}

TEST(Runs, ACrashedClaimIsTakenOverUnderAHigherTokenAndItsZombieCannotFinish) {
    StoreHarness store;
    const auto zombie = *store.run(claim());
    store.tick(Duration(1'001));
    EXPECT_TRUE(has(read(store), R"("claim_is_live":false)"));

    const auto next = *store.run(claim());

    EXPECT_GT(next.fencing_token, zombie.fencing_token);
    EXPECT_TRUE(has(read(store), R"("attempts":2)"));
    EXPECT_EQ(code_of(finish(store, zombie.fencing_token)), ErrorCode::FenceStale);
    EXPECT_TRUE(has(read(store), R"("state":"claimed")"));
    EXPECT_FALSE(finish(store, next.fencing_token).error);
}

TEST(Runs, ThatFailedMayBeClaimedAgain) {
    StoreHarness store;
    const auto run = *store.run(claim());
    ASSERT_FALSE(finish(store, run.fencing_token, false).error);
    EXPECT_TRUE(has(read(store), R"("state":"failed")"));

    const auto again = *store.run(claim());

    EXPECT_FALSE(again.error);
    EXPECT_TRUE(has(read(store), R"("attempts":2)"));
    EXPECT_EQ(code_of(finish(store, run.fencing_token)), ErrorCode::FenceReleased);
}

TEST(Runs, WhoWaitedForAClaimLearnsThatTheRunIsDone) {
    StoreHarness store;
    const auto run = *store.run(claim());
    ASSERT_FALSE(store.run(claim({}, 5'000)));
    const auto waiter = store.last_ticket();

    const auto answers = store.run_batch({finish_of(run.fencing_token, true)});

    EXPECT_EQ(code_of(answers.at(waiter)), ErrorCode::RunDone);
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE state = 0"), 0);
}

TEST(Runs, AreMissedWhenFirstAskedForAfterTheirGraceAndThatIsFinal) {
    StoreHarness store;

    EXPECT_EQ(code_of(*store.run(claim(Duration(30'000)))), ErrorCode::RunMissed);

    EXPECT_TRUE(has(read(store), R"("state":"missed")"));
    EXPECT_EQ(code_of(*store.run(claim())), ErrorCode::RunMissed);
    store.reopen();
    EXPECT_EQ(code_of(*store.run(claim())), ErrorCode::RunMissed);
}

TEST(Runs, AreNotMissedInsideTheirGrace) {
    StoreHarness store;
    EXPECT_FALSE(store.run(claim(Duration(60'000)))->error);
}

TEST(Runs, AGraceWithoutEndMissesNothing) {
    StoreHarness store;
    EXPECT_FALSE(store.run(claim(Duration(std::numeric_limits<std::int64_t>::max())))->error);
}

TEST(Runs, AreNotClaimedBeforeTheirInstant) {
    StoreHarness store;
    const auto refused = *store.run(claim({}, 0, "2026-01-01T00:00:05Z"));

    EXPECT_EQ(code_of(refused), ErrorCode::RunNotDue);
    EXPECT_EQ(member_of(refused, "due_in_ms"), "5000");
    EXPECT_EQ(store.number("SELECT count(*) FROM runs"), 0);
}

TEST(Runs, AreNotFinishedByWhoHoldsTheirLockWithoutAClaim) {
    StoreHarness store;
    const auto run = *store.run(claim());
    ASSERT_FALSE(store.release(run).error);
    const auto lock_only = *store.acquire(kLock);

    const auto refused = finish(store, lock_only.fencing_token);

    EXPECT_EQ(code_of(refused), ErrorCode::FenceLockMismatch);
    EXPECT_EQ(member_of(refused, "claim_token"),
              std::to_string(testing::number_of(run.fencing_token)));
    EXPECT_TRUE(has(read(store), R"("state":"claimed")"));
}

TEST(Runs, ALateFinishCountsWhereLateWritesDo) {
    StoreHarness store({{.name = "runs", .accepts_late_writes = true}});
    const auto run = *store.run(claim());
    store.tick(Duration(1'001));

    EXPECT_FALSE(finish(store, run.fencing_token).error);

    EXPECT_EQ(code_of(*store.run(claim())), ErrorCode::RunDone);
    EXPECT_EQ(store.number("SELECT state FROM leases"), 1);
}

TEST(Runs, ALateFinishDoesNotChangeAnOutcome) {
    for (const bool was_done : {true, false}) {
        StoreHarness store({{.name = "runs", .accepts_late_writes = true}});
        const auto run = *store.run(claim());
        store.tick(Duration(1'001));
        ASSERT_FALSE(finish(store, run.fencing_token, was_done).error);

        EXPECT_EQ(code_of(finish(store, run.fencing_token, !was_done)),
                  was_done ? ErrorCode::RunDone : ErrorCode::FenceReleased);
        EXPECT_TRUE(has(read(store), was_done ? R"("state":"done")" : R"("state":"failed")"));
    }
}

TEST(Runs, ALateFinishAfterATakeOverIsRefusedWhateverTheClassAccepts) {
    StoreHarness store({{.name = "runs", .accepts_late_writes = true}});
    const auto zombie = *store.run(claim());
    store.tick(Duration(1'001));
    ASSERT_FALSE(store.run(claim())->error);

    EXPECT_EQ(code_of(finish(store, zombie.fencing_token)), ErrorCode::FenceStale);
}

TEST(Runs, AreListedNewestFirstInPages) {
    StoreHarness store;
    for (const char* slot :
         {"2025-12-01T00:00:00Z", "2025-12-03T00:00:00Z", "2025-12-02T00:00:00Z"})
        ASSERT_FALSE(store.run(claim({}, 0, slot))->error);

    const auto first = store.run(storage::ListRuns{.job = "job", .before = "", .limit = 2})->body;
    const auto second =
        store.run(storage::ListRuns{.job = "job", .before = "2025-12-02T00:00:00Z", .limit = 2})
            ->body;

    EXPECT_LT(first.find("2025-12-03"), first.find("2025-12-02"));
    EXPECT_TRUE(has(first, R"("next_cursor":"2025-12-02T00:00:00Z")"));
    EXPECT_TRUE(has(second, "2025-12-01") && has(second, R"("has_more":false)"));
    EXPECT_FALSE(has(second, "2025-12-02"));
}

TEST(Runs, TheSchemaKeepsDoneFinal) {
    StoreHarness store;
    const auto run = *store.run(claim());
    ASSERT_FALSE(finish(store, run.fencing_token).error);

    store.connection->exec("UPDATE runs SET state = 0, ended_at_ms = NULL");

    EXPECT_TRUE(store.connection->failure());
    store.connection->clear_failure();
}

}  // namespace
}  // namespace fencegate::testing
