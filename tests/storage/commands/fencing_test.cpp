// The fence in the store: promises 1, 2, 3 and 7 against real rows.
#include "base/start_failure.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using lockmgr::TokenFault;
using storage::Answer;

constexpr const char* kLock = "payments/pay_42";

TEST(Fencing, TheDoubleRefundIsRefused) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock, {.owner = "a"});
    store.tick(Duration(1'001));
    const auto b = *store.acquire(kLock, {.owner = "b"});
    ASSERT_FALSE(store.refund("pay_42", b.fencing_token, {.amount = 2'000, .key = "b"}).error);

    const auto late = store.refund("pay_42", a.fencing_token, {.amount = 2'000, .key = "a"});

    EXPECT_EQ(code_of(late), ErrorCode::FenceStale);
    EXPECT_EQ(store.number("SELECT count(*) FROM transfers WHERE kind = 3"), 1);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 2'000);
}

TEST(Fencing, TheGrantAloneFencesThePredecessor) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);
    store.tick(Duration(1'001));

    ASSERT_FALSE(store.acquire(kLock)->error);  // and no write under it

    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceStale);
}

TEST(Fencing, AnExpiredLeaseIsRefusedByItsOwnCode) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);
    store.tick(Duration(1'001));

    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceExpired);
}

TEST(Fencing, AReleasedTokenIsSealedAtOnce) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);
    ASSERT_FALSE(store.release(a).error);

    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceReleased);
}

TEST(Fencing, ABrokenTokenIsRefusedWhileItsHolderStillRuns) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);
    const auto lock = *lockmgr::LockName::parse(kLock);
    ASSERT_FALSE(store.run(storage::BreakLock{lock, *a.fencing_token, "stuck"})->error);

    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceBroken);
}

TEST(Fencing, BreakingNeedsTheTokenThatIsThere) {
    StoreHarness store;
    const auto lock = *lockmgr::LockName::parse(kLock);
    EXPECT_EQ(code_of(*store.run(storage::BreakLock{lock, lockmgr::FencingToken(1), "x"})),
              ErrorCode::LockNotHeld);
    const auto a = *store.acquire(kLock);

    const auto refused = *store.run(storage::BreakLock{
        lock, lockmgr::FencingToken(testing::number_of(a.fencing_token) + 1), "x"});

    EXPECT_EQ(code_of(refused), ErrorCode::FenceStale);
    EXPECT_FALSE(store.renew(a).error);
}

TEST(Fencing, AForgedTokenChangesNothing) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);

    for (const auto forged : {testing::number_of(a.fencing_token) + 1, lockmgr::kTokenMax})
        EXPECT_EQ(code_of(store.refund("pay_42", forged)), ErrorCode::FenceTokenUnknown);

    EXPECT_FALSE(store.refund("pay_42", a.fencing_token).error);
    const auto next = *store.acquire("other");
    EXPECT_EQ(testing::number_of(next.fencing_token), testing::number_of(a.fencing_token) + 1);
}

TEST(Fencing, ATokenOfAnotherLockOrPrincipalDoesNotHelp) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto other = *store.acquire("payments/pay_4");
    const auto thief = *store.acquire(kLock, {.principal = "thief"});

    EXPECT_EQ(code_of(store.refund("pay_42", other.fencing_token)), ErrorCode::FenceLockMismatch);
    EXPECT_EQ(code_of(store.refund("pay_42", thief.fencing_token)), ErrorCode::FenceNotHolder);
}

TEST(Fencing, AMissingOrMalformedTokenIsRefusedWithoutALook) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    store.acquire(kLock);

    EXPECT_EQ(code_of(store.refund("pay_42", 0, {.fault = TokenFault::Absent})),
              ErrorCode::FenceTokenRequired);
    EXPECT_EQ(code_of(store.refund("pay_42", 0, {.fault = TokenFault::Malformed})),
              ErrorCode::FenceTokenMalformed);
}

TEST(Fencing, OneHolderMayWriteManyTimes) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);

    EXPECT_FALSE(store.refund("pay_42", a.fencing_token, {.key = "1"}).error);
    EXPECT_FALSE(store.refund("pay_42", a.fencing_token, {.key = "2"}).error);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 200);
}

TEST(Fencing, LateWritesPassOnlyWhereTheClassAcceptsThem) {
    StoreHarness store({{.name = "payments", .accepts_late_writes = true}});
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);
    store.tick(Duration(1'001));
    EXPECT_FALSE(store.refund("pay_42", a.fencing_token, {.key = "late"}).error);

    ASSERT_FALSE(store.acquire(kLock)->error);

    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token, {.key = "stale"})),
              ErrorCode::FenceStale);
}

// One batch is one transaction: the order inside it decides, as if each were alone.
TEST(Fencing, IsComparedInBatchOrder) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);
    const auto id = *parse_uuid(a.resource_id);

    std::vector<storage::Operation> batch;
    batch.push_back(StoreHarness::refund_of("pay_42", a.fencing_token, {.key = "before"}));
    batch.push_back(storage::ReleaseLease{id});
    batch.push_back(StoreHarness::refund_of("pay_42", a.fencing_token, {.key = "after"}));
    batch.push_back(StoreHarness::acquire_of(kLock));
    batch.push_back(StoreHarness::refund_of("pay_42", testing::number_of(a.fencing_token) + 1,
                                            {.key = "next"}));
    const auto answers = store.run_batch(std::move(batch));

    const auto first = store.last_ticket() - 4;
    EXPECT_FALSE(answers.at(first).error);
    EXPECT_FALSE(answers.at(first + 1).error);
    EXPECT_EQ(code_of(answers.at(first + 2)), ErrorCode::FenceReleased);
    EXPECT_FALSE(answers.at(first + 3).error);
    EXPECT_FALSE(answers.at(first + 4).error);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 200);
}

TEST(Fencing, TheWallClockDecidesNothing) {
    StoreHarness store;
    store.create("pay_42", 5'000);
    const auto a = *store.acquire(kLock);

    store.clock.step_wall(std::chrono::hours(24 * 365));
    EXPECT_FALSE(store.refund("pay_42", a.fencing_token, {.key = "ahead"}).error);
    store.clock.step_wall(std::chrono::hours(-24 * 365 * 9));
    EXPECT_FALSE(store.refund("pay_42", a.fencing_token, {.key = "behind"}).error);

    store.tick(Duration(1'001));
    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceExpired);
}

TEST(Tokens, RiseAcrossReleaseExpiryAndRestart) {
    StoreHarness store;
    std::optional<lockmgr::FencingToken> last;
    for (int round = 0; round < 6; ++round) {
        const auto grant = *store.acquire(kLock);
        ASSERT_GT(grant.fencing_token, last);
        last = grant.fencing_token;
        if (round % 3 == 0) {
            ASSERT_FALSE(store.release(grant).error);
        } else {
            store.tick(Duration(1'001));
        }
        if (round % 2 == 0) store.reopen();
    }
}

TEST(Tokens, DoNotStartOverBecauseTheStoreWentMissing) {
    StoreHarness store;
    store.acquire(kLock);
    store.store.reset();
    std::filesystem::remove(store.folder() / "store.db");
    std::filesystem::remove(store.folder() / "store.db-wal");

    const auto opened = storage::sqlite::open_database(store.folder());

    ASSERT_FALSE(opened);
    EXPECT_EQ(start_failure_of(opened.error()), StartFailure::BadData);
}

// Another program, sqlite3's shell say, has the file: that is not damage, and trying again may
// help.
TEST(Store, ThatAnotherProgramHasOpenIsInUse) {
    StoreHarness store;

    const auto second = storage::sqlite::open_database(store.folder());

    ASSERT_FALSE(second);
    EXPECT_EQ(start_failure_of(second.error()), StartFailure::InUse);
}

TEST(Tokens, RollOverIntoTheNextEpoch) {
    StoreHarness store;
    store.connection->exec("UPDATE store SET sequence = 8796093022207");
    ASSERT_FALSE(store.connection->failure());

    const auto grant = *store.acquire(kLock);

    EXPECT_EQ(grant.fencing_token, lockmgr::FencingToken::compose(1, 1));
}

TEST(Tokens, RunOutWithARefusalAndNotAWrap) {
    StoreHarness store;
    store.connection->exec("UPDATE store SET epoch = 1023, sequence = 8796093022207");
    ASSERT_FALSE(store.connection->failure());

    EXPECT_EQ(code_of(*store.acquire(kLock)), ErrorCode::Internal);
    EXPECT_EQ(store.number("SELECT sequence FROM store"), 8'796'093'022'207);
}

}  // namespace
}  // namespace fencegate::testing
