// Shared locks and semaphores in the store: who gets in beside whom, and what such a lease is worth
// to a fence.
#include "storage/commands/grants.hpp"
#include "storage/sqlite/row_set.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using lockmgr::Claim;
using lockmgr::LockMode;
using storage::Answer;

constexpr Claim kReads{LockMode::Shared, 1};
constexpr Claim kTwoPermits{LockMode::Semaphore, 2};
constexpr const char* kLock = "payments/pay_42";

storage::CreatePayment creation(std::string id, testing::Token token) {
    return {.id = id,
            .currency = "EUR",
            .amount_minor = 9,
            .capture = true,
            .reference = {},
            .metadata_json = {},
            .token = testing::presented(token),
            .idempotency = idempotency(id)};
}

TEST(SharedLocks, ReadersHoldTogetherEachUnderATokenOfItsOwn) {
    StoreHarness store;
    const auto first = *store.acquire(kLock, {.owner = "r1", .claim = kReads});
    const auto second = *store.acquire(kLock, {.owner = "r2", .claim = kReads});

    EXPECT_GT(second.fencing_token, first.fencing_token);
    EXPECT_TRUE(has(store.lock(kLock).body, R"("mode":"shared","holder_count":2)"));
    EXPECT_EQ(code_of(*store.acquire(kLock)), ErrorCode::LockHeld);
}

TEST(SharedLocks, AReaderNeverPassesTheFenceOfAWrite) {
    StoreHarness store({{.name = "payments", .accepts_late_writes = true}});
    store.create("pay_42", 5'000);
    const auto reader = *store.acquire(kLock, {.claim = kReads});

    EXPECT_EQ(code_of(store.refund("pay_42", reader.fencing_token)), ErrorCode::FenceLockMismatch);
    EXPECT_EQ(code_of(*store.run(creation("new", reader.fencing_token))),
              ErrorCode::FenceLockMismatch);

    store.tick(Duration(1'001));
    EXPECT_EQ(code_of(store.refund("pay_42", reader.fencing_token)), ErrorCode::FenceExpired);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 0);
}

TEST(SharedLocks, AWaitingWriterIsNotStarvedByReadersThatKeepComing) {
    StoreHarness store;
    const auto reader = *store.acquire(kLock, {.claim = kReads});
    ASSERT_FALSE(store.acquire(kLock, {.owner = "writer", .wait_ms = 5'000}));
    const auto writer = store.last_ticket();

    EXPECT_EQ(code_of(*store.acquire(kLock, {.claim = kReads})), ErrorCode::LockHeld);
    ASSERT_FALSE(store.acquire(kLock, {.owner = "late", .wait_ms = 5'000, .claim = kReads}));
    const auto late = store.last_ticket();
    const auto answers = store.run_batch({storage::ReleaseLease{*parse_uuid(reader.resource_id)}});

    ASSERT_TRUE(answers.contains(writer));
    EXPECT_FALSE(answers.at(writer).error);
    EXPECT_FALSE(answers.contains(late));
}

TEST(SharedLocks, TheWriterGetsInOnlyWhenTheLastReaderHasLeft) {
    StoreHarness store;
    const auto first = *store.acquire(kLock, {.claim = kReads});
    const auto second = *store.acquire(kLock, {.claim = kReads});
    ASSERT_FALSE(store.acquire(kLock, {.owner = "writer", .wait_ms = 900}));
    const auto writer = store.last_ticket();

    // The newest one first: the chain of the lock then begins at a lease that has ended.
    EXPECT_FALSE(
        store.run_batch({storage::ReleaseLease{*parse_uuid(second.resource_id)}}).contains(writer));
    EXPECT_EQ(code_of(*store.acquire(kLock)), ErrorCode::LockHeld);
    const auto answers = store.run_batch({storage::ReleaseLease{*parse_uuid(first.resource_id)}});

    EXPECT_FALSE(answers.at(writer).error);
}

TEST(SharedLocks, AWriterThatLeavesLetsEveryReaderBehindItIn) {
    StoreHarness store;
    const auto writer = *store.acquire(kLock);
    std::vector<std::uint64_t> readers;
    for (int index = 0; index < 3; ++index) {
        ASSERT_FALSE(store.acquire(kLock, {.wait_ms = 5'000, .claim = kReads}));
        readers.push_back(store.last_ticket());
    }
    ASSERT_FALSE(store.acquire(kLock, {.wait_ms = 5'000}));
    const auto second_writer = store.last_ticket();

    const auto answers = store.run_batch({storage::ReleaseLease{*parse_uuid(writer.resource_id)}});

    for (const auto reader : readers) EXPECT_FALSE(answers.at(reader).error);
    EXPECT_FALSE(answers.contains(second_writer));
}

TEST(SharedLocks, AWriterInLineThatGivesUpLetsTheReadersBehindItIn) {
    StoreHarness store;
    store.acquire(kLock, {.ttl_ms = 60'000, .claim = kReads});
    ASSERT_FALSE(store.acquire(kLock, {.owner = "writer", .wait_ms = 100}));
    ASSERT_FALSE(store.acquire(kLock, {.owner = "r2", .wait_ms = 5'000, .claim = kReads}));
    const auto reader = store.last_ticket();

    const auto answers = store.tick(Duration(100));

    ASSERT_TRUE(answers.contains(reader));
    EXPECT_FALSE(answers.at(reader).error);
}

TEST(SharedLocks, OneReaderIsBrokenAndTheOthersStay) {
    StoreHarness store;
    const auto name = *lockmgr::LockName::parse(kLock);
    const auto first = *store.acquire(kLock, {.claim = kReads});
    const auto second = *store.acquire(kLock, {.claim = kReads});

    ASSERT_FALSE(store.run(storage::BreakLock{name, *first.fencing_token, "stuck"})->error);

    EXPECT_EQ(code_of(store.renew(first)), ErrorCode::GoneBroken);
    EXPECT_FALSE(store.renew(second).error);
    EXPECT_EQ(code_of(*store.run(storage::BreakLock{name, *first.fencing_token, "again"})),
              ErrorCode::FenceStale);
}

TEST(SharedLocks, SurviveARestartBesideEachOther) {
    StoreHarness store;
    const auto first = *store.acquire(kLock, {.claim = kReads});
    const auto second = *store.acquire(kLock, {.claim = kReads});

    store.reopen();

    ASSERT_FALSE(store.store->fatal());
    EXPECT_FALSE(store.renew(first).error);
    EXPECT_FALSE(store.renew(second).error);
    EXPECT_FALSE(store.acquire(kLock, {.claim = kReads})->error);
}

TEST(Semaphores, LetInAsManyAsTheyHavePermitsAndHandOneOn) {
    StoreHarness store;
    const auto first = *store.acquire("s", {.claim = kTwoPermits});
    ASSERT_FALSE(store.acquire("s", {.claim = kTwoPermits})->error);
    EXPECT_EQ(code_of(*store.acquire("s", {.claim = kTwoPermits})), ErrorCode::LockHeld);
    std::vector<std::uint64_t> waiters;
    for (int index = 0; index < 2; ++index) {
        ASSERT_FALSE(store.acquire("s", {.wait_ms = 5'000, .claim = kTwoPermits}));
        waiters.push_back(store.last_ticket());
    }

    const auto answers = store.run_batch({storage::ReleaseLease{*parse_uuid(first.resource_id)}});

    EXPECT_FALSE(answers.at(waiters[0]).error);
    EXPECT_FALSE(answers.contains(waiters[1]));
}

TEST(Semaphores, RefuseAnotherKindAndAnotherNumberOfPermits) {
    StoreHarness store;
    ASSERT_FALSE(store.acquire("s", {.claim = kTwoPermits})->error);

    for (const Claim other : {Claim{}, kReads, Claim{LockMode::Semaphore, 3}}) {
        EXPECT_EQ(code_of(*store.acquire("s", {.wait_ms = 5'000, .claim = other})),
                  ErrorCode::LockModeConflict);
    }
}

TEST(Semaphores, TakeAnotherNumberOfPermitsOnceNobodyHoldsThem) {
    StoreHarness store;
    const auto grant = *store.acquire("s", {.claim = kTwoPermits});
    ASSERT_FALSE(store.release(grant).error);

    EXPECT_FALSE(store.acquire("s", {.claim = {LockMode::Semaphore, 3}})->error);
}

TEST(Semaphores, CountTheirHoldersAgainAfterARestart) {
    StoreHarness store;
    store.acquire("s", {.claim = kTwoPermits});
    store.acquire("s", {.claim = kTwoPermits});

    store.reopen();

    EXPECT_EQ(code_of(*store.acquire("s", {.claim = kTwoPermits})), ErrorCode::LockHeld);
}

// Its permit may have gone to somebody else meanwhile, while the newest lease of the semaphore is
// another's: "nobody was granted since" cannot be said of it.
TEST(Semaphores, ALateHolderDoesNotWriteBesideItsSuccessor) {
    StoreHarness store({{.name = "s", .accepts_late_writes = true}});
    const auto late = *store.acquire("s", {.ttl_ms = 1'000, .claim = kTwoPermits});
    store.acquire("s", {.ttl_ms = 60'000, .claim = kTwoPermits});
    EXPECT_FALSE(store.run(creation("in-time", late.fencing_token))->error);
    store.tick(Duration(1'001));
    ASSERT_FALSE(store.acquire("s", {.owner = "successor", .claim = kTwoPermits})->error);

    const auto refused = *store.run(creation("late", late.fencing_token));

    EXPECT_EQ(code_of(refused), ErrorCode::FenceExpired);
    EXPECT_EQ(store.number("SELECT count(*) FROM payments"), 1);
}

// Whether the rows take one more lease of the lock, whatever the rules in memory would say.
bool rows_take(StoreHarness& store, const char* lock, lockmgr::Claim claim) {
    storage::sqlite::RowSet rows(*store.connection, store.clock);
    storage::LeaseTable leases(rows.leases, rows.refusals);
    const bool is_taken = storage::write_grant(leases, {.token = lockmgr::FencingToken(1'000),
                                                        .locks = {*lockmgr::LockName::parse(lock)},
                                                        .claim = claim,
                                                        .ttl = Duration(1'000)});
    EXPECT_FALSE(store.connection->failure());
    return is_taken;  // and nothing was written: nobody has collected it
}

TEST(ExclusiveLocks, TheRowsRefuseAGrantBesideALiveExclusiveLease) {
    StoreHarness store;
    const auto grant = *store.acquire("a");

    EXPECT_FALSE(rows_take(store, "a", {}));
    EXPECT_FALSE(rows_take(store, "a", kReads));
    ASSERT_FALSE(store.release(grant).error);
    EXPECT_TRUE(rows_take(store, "a", {}));
}

TEST(ExclusiveLocks, TheRowsRefuseAnExclusiveGrantBesideAReader) {
    StoreHarness store;
    store.acquire("a", {.claim = kReads});

    EXPECT_FALSE(rows_take(store, "a", {}));
    EXPECT_TRUE(rows_take(store, "a", kReads));
}

TEST(ExclusiveLocks, ARestartRefusesRowsThatContradictEachOther) {
    StoreHarness store;
    store.acquire("a", {.claim = kReads});
    store.acquire("a", {.claim = kReads});
    store.connection->exec("UPDATE leases SET mode = 0");

    store.reopen();

    EXPECT_TRUE(store.store->fatal());
    EXPECT_EQ(store.observer.errors.back(), storage::StoreError::Fatal);
}

}  // namespace
}  // namespace fencegate::testing
