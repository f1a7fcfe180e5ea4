// A lease that ends with the last write under it: in the transaction of the write, only if that
// succeeds, and once.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using lockmgr::LeaseState;
using storage::Answer;
using storage::FenceStatus;
using storage::LeaseEndEvent;
using storage::MovePayment;
using NoticeKind = storage::LockNotice::Kind;

constexpr const char* kLock = "payments/pay_42";

MovePayment move_of(MovePayment::Kind kind, Token token, const char* key) {
    return {.kind = kind,
            .payment_id = "pay_42",
            .amount_minor = std::nullopt,
            .reason = {},
            .token = presented(token),
            .idempotency = idempotency(key)};
}

class ReleaseOnWrite : public ::testing::Test {
protected:
    ReleaseOnWrite() { store.create("pay_42", 500); }

    LeaseState state_of(const Answer& grant) {
        const auto sql = "SELECT state FROM leases WHERE token = " +
                         std::to_string(number_of(grant.fencing_token));
        return static_cast<LeaseState>(store.number(sql.c_str()));
    }
    Answer refund(Token token, RefundOptions options = {}) {
        return store.refund_and_release("pay_42", token, std::move(options));
    }

    StoreHarness store;
};

TEST_F(ReleaseOnWrite, EndsTheLeaseAndSaysSo) {
    const auto grant = *store.acquire(kLock);

    const auto answer = refund(grant.fencing_token);

    ASSERT_FALSE(answer.error);
    EXPECT_EQ(answer.fence_status, FenceStatus::Released);
    EXPECT_EQ(state_of(grant), LeaseState::Released);
    EXPECT_EQ(code_of(store.refund("pay_42", grant.fencing_token, {.key = "next"})),
              ErrorCode::FenceReleased);
    EXPECT_FALSE(store.acquire(kLock, {.owner = "b"})->error);
}

TEST_F(ReleaseOnWrite, AWriteThatDoesNotAskForItSaysNothingAndKeepsTheLease) {
    const auto grant = *store.acquire(kLock);

    const auto answer = store.refund("pay_42", grant.fencing_token);

    EXPECT_EQ(answer.fence_status, FenceStatus::None);
    EXPECT_EQ(state_of(grant), LeaseState::Live);
}

TEST_F(ReleaseOnWrite, WorksWithEveryMovementOfMoney) {
    store.create("hold", 500, false);
    store.create("void", 500, false);
    const auto captured = *store.acquire("payments/hold");
    const auto cancelled = *store.acquire("payments/void");
    const auto created = *store.acquire("payments/new");
    auto capture = move_of(MovePayment::Kind::Capture, captured.fencing_token, "c");
    capture.payment_id = "hold";
    auto cancel = move_of(MovePayment::Kind::Cancel, cancelled.fencing_token, "x");
    cancel.payment_id = "void";
    const storage::CreatePayment create{.id = "new",
                                        .currency = "EUR",
                                        .amount_minor = 5,
                                        .reference = {},
                                        .metadata_json = {},
                                        .token = presented(created.fencing_token),
                                        .idempotency = idempotency("n")};

    for (const auto& answer : {store.run_and_release(capture), store.run_and_release(cancel),
                               store.run_and_release(create)}) {
        ASSERT_FALSE(answer.error) << answer.error->detail;
        EXPECT_EQ(answer.fence_status, FenceStatus::Released);
    }

    for (const auto& grant : {captured, cancelled, created})
        EXPECT_EQ(state_of(grant), LeaseState::Released);
}

TEST_F(ReleaseOnWrite, ARefusalByTheRulesLeavesTheLeaseLive) {
    const auto grant = *store.acquire(kLock);

    const auto refused = refund(grant.fencing_token, {.amount = 501});

    EXPECT_EQ(code_of(refused), ErrorCode::RefundExceedsCaptured);
    EXPECT_EQ(refused.fence_status, FenceStatus::None);
    EXPECT_EQ(state_of(grant), LeaseState::Live);
    EXPECT_FALSE(store.renew(grant).error);
}

TEST_F(ReleaseOnWrite, ARefusalByTheFenceOrTheVersionLeavesTheLeaseLive) {
    store.create("pay_7", 500);
    const auto grant = *store.acquire(kLock);
    auto changed = move_of(MovePayment::Kind::Refund, grant.fencing_token, "v");
    changed.if_version = {{1}};

    EXPECT_EQ(code_of(store.refund_and_release("pay_7", grant.fencing_token)),
              ErrorCode::FenceLockMismatch);
    EXPECT_EQ(code_of(refund(grant.fencing_token, {.key = "other", .principal = "thief"})),
              ErrorCode::FenceNotHolder);
    EXPECT_EQ(code_of(store.run_and_release(changed)), ErrorCode::PaymentChanged);

    EXPECT_EQ(state_of(grant), LeaseState::Live);
}

TEST_F(ReleaseOnWrite, AWriteThatIsTakenBackTakesTheEndBack) {
    const auto grant = *store.acquire(kLock);
    store.connection->exec(
        "CREATE TEMP TRIGGER sabotage AFTER INSERT ON answers "
        "BEGIN SELECT RAISE(ABORT, 'sabotage'); END");

    EXPECT_EQ(code_of(refund(grant.fencing_token)), ErrorCode::Internal);

    store.connection->exec("DROP TRIGGER sabotage");
    EXPECT_EQ(state_of(grant), LeaseState::Live);
    EXPECT_FALSE(store.renew(grant).error);
    EXPECT_EQ(code_of(*store.acquire(kLock, {.owner = "b"})), ErrorCode::LockHeld);
    EXPECT_FALSE(refund(grant.fencing_token).error);
}

TEST_F(ReleaseOnWrite, TheNextInLineIsGrantedInTheSameBatch) {
    const auto grant = *store.acquire(kLock);
    ASSERT_FALSE(store.acquire(kLock, {.owner = "b", .wait_ms = 5'000}));
    const auto waiter = store.last_ticket();

    const auto answers =
        store.run_batch({StoreHarness::refund_of("pay_42", grant.fencing_token)}, "worker", true);

    ASSERT_TRUE(answers.contains(waiter));
    EXPECT_GT(answers.at(waiter).fencing_token, grant.fencing_token);
}

TEST_F(ReleaseOnWrite, ALeaseOverSeveralLocksEndsAsAWhole) {
    const auto grant = *store.acquire(kLock, {.also = {"payments/pay_7", "stock/7"}});

    ASSERT_EQ(refund(grant.fencing_token).fence_status, FenceStatus::Released);

    for (const char* lock : {kLock, "payments/pay_7", "stock/7"})
        EXPECT_FALSE(store.acquire(lock, {.owner = "b"})->error) << lock;
}

TEST_F(ReleaseOnWrite, IsToldToWatchersHistoryAndMetrics) {
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    store.clock.advance(Duration(400));
    store.observer.all.clear();

    refund(grant.fencing_token);

    EXPECT_EQ(store.observer.notices.back().kind, NoticeKind::Ended);
    EXPECT_EQ(store.observer.notices.back().ending, lockmgr::LeaseEnding::Released);
    EXPECT_EQ(store.observer.notices.back().token, grant.fencing_token);
    const auto history =
        store.run(storage::ReadHistory{.lock = *lockmgr::LockName::parse(kLock)})->body;
    EXPECT_TRUE(has(history, R"("state":"released")"));
    const LeaseEndEvent* ended = nullptr;
    for (const auto& event : store.observer.all) {
        if (const auto* end = std::get_if<LeaseEndEvent>(&event)) ended = end;
    }
    ASSERT_NE(ended, nullptr);
    EXPECT_EQ(ended->ending, lockmgr::LeaseEnding::Released);
    EXPECT_EQ(ended->held, Duration(400));
    EXPECT_EQ(ended->remaining, Duration(600));
}

TEST_F(ReleaseOnWrite, AReplaySaysReleasedAndTouchesNoLaterLease) {
    const auto first = *store.acquire(kLock);
    const auto answer = refund(first.fencing_token);
    const auto later = *store.acquire(kLock, {.owner = "b"});

    for (const auto& grant : {first, later}) {
        const auto again = refund(grant.fencing_token);
        EXPECT_TRUE(again.is_replayed);
        EXPECT_EQ(again.body, answer.body);
        EXPECT_EQ(again.fence_status, FenceStatus::Released);
    }

    EXPECT_EQ(state_of(later), LeaseState::Live);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 100);
}

TEST_F(ReleaseOnWrite, AReplayAfterACrashSaysReleased) {
    const auto grant = *store.acquire(kLock);
    refund(grant.fencing_token);

    store.reopen();

    EXPECT_EQ(refund(grant.fencing_token).fence_status, FenceStatus::Released);
    EXPECT_FALSE(store.acquire(kLock, {.owner = "b"})->error);
}

TEST_F(ReleaseOnWrite, ARetryMayLeaveTheHeaderOut) {
    const auto grant = *store.acquire(kLock);
    const auto first = refund(grant.fencing_token);

    const auto again = store.refund("pay_42", grant.fencing_token);

    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.fence_status, FenceStatus::Released);
}

// A replay has no effects. It says how the lease stands, so that its holder can release it.
TEST_F(ReleaseOnWrite, AReplayOfAWriteThatKeptTheLeaseKeepsIt) {
    const auto grant = *store.acquire(kLock);
    store.refund("pay_42", grant.fencing_token);

    const auto again = refund(grant.fencing_token);

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.fence_status, FenceStatus::Live);
    EXPECT_EQ(state_of(grant), LeaseState::Live);
}

TEST_F(ReleaseOnWrite, AReplayOfARefusalLeavesTheLeaseLive) {
    const auto grant = *store.acquire(kLock);
    refund(grant.fencing_token, {.amount = 501});

    EXPECT_EQ(refund(grant.fencing_token, {.amount = 501}).fence_status, FenceStatus::Live);
    EXPECT_EQ(state_of(grant), LeaseState::Live);
}

TEST(ReleaseOnLateWrite, HasNothingLeftToEndAndSaysStale) {
    StoreHarness store({{.name = "payments", .accepts_late_writes = true}});
    store.create("pay_42", 500);
    const auto grant = *store.acquire(kLock, {.ttl_ms = 1'000});
    store.tick(Duration(1'001));

    const auto answer = store.refund_and_release("pay_42", grant.fencing_token);

    ASSERT_FALSE(answer.error);
    EXPECT_EQ(answer.fence_status, FenceStatus::Stale);
    EXPECT_EQ(store.number("SELECT state FROM leases"), static_cast<int>(LeaseState::Expired));
    EXPECT_EQ(store.refund_and_release("pay_42", grant.fencing_token).fence_status,
              FenceStatus::Stale);
}

class ReleaseOnRole : public ::testing::Test {
protected:
    StoreHarness store;
};

TEST_F(ReleaseOnRole, ALastProclamationVacatesTheElection) {
    const auto grant = *store.acquire("elections/shift");
    const storage::Proclaim last{"shift", R"({"bye":1})", presented(grant.fencing_token)};

    const auto answer = store.run_and_release(last);

    ASSERT_FALSE(answer.error);
    EXPECT_EQ(answer.fence_status, FenceStatus::Released);
    EXPECT_TRUE(has(store.run(storage::ReadElection{"shift"})->body, R"("state":"vacant")"));
}

// They end the lease anyway, with the header or without.
TEST_F(ReleaseOnRole, ResignAndDoneSayReleasedAlsoWhenSaidAgain) {
    const auto slot = *lockmgr::RunSlot::parse("2026-01-01T00:00:00Z");
    const auto leader = *store.acquire("elections/shift");
    const auto claim = *store.run(
        storage::AcquireLock{.locks = {*lockmgr::LockName::parse("runs/nightly/" + slot.text())},
                             .owner = "a",
                             .purpose = storage::ClaimRun{"nightly", slot, {}}});
    ASSERT_FALSE(claim.error);
    const storage::Resign resign{"shift", presented(leader.fencing_token)};
    const storage::FinishRun done{
        .job = "nightly", .slot = slot, .result = {}, .token = presented(claim.fencing_token)};

    for (int times = 0; times < 2; ++times) {
        EXPECT_EQ(store.run_and_release(resign).fence_status, FenceStatus::Released);
        EXPECT_EQ(store.run_and_release(done).fence_status, FenceStatus::Released);
    }
    EXPECT_EQ(store.number("SELECT count(*) FROM leases WHERE state = 3"), 2);
}

}  // namespace
}  // namespace fencegate::testing
