// What a key was answered it is answered again, promise 5.
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;
using storage::MovePayment;

constexpr const char* kLock = "payments/pay_42";

Answer refund(StoreHarness& store, const Answer& grant, std::int64_t amount,
              storage::Idempotency key) {
    return *store.run(MovePayment{.kind = MovePayment::Kind::Refund,
                                  .payment_id = "pay_42",
                                  .amount_minor = amount,
                                  .reason = {},
                                  .token = testing::presented(grant.fencing_token),
                                  .idempotency = std::move(key)});
}

TEST(Replay, ReturnsTheFirstAnswerEvenWhenTheTokenIsStaleByNow) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    const auto first = store.refund("pay_42", a.fencing_token);
    store.tick(Duration(1'001));
    store.acquire(kLock, {.owner = "b"});

    const auto again = store.refund("pay_42", a.fencing_token);

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(again.fence_status, storage::FenceStatus::Stale);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 100);
}

TEST(Replay, LetsASuccessorRepeatItsPredecessorsCall) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    const auto first = store.refund("pay_42", a.fencing_token);
    store.tick(Duration(1'001));
    const auto b = *store.acquire(kLock, {.owner = "b"});

    const auto again = store.refund("pay_42", b.fencing_token);

    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 100);
}

// Which only a damaged row has. It must not stop the gateway.
TEST(Replay, OfATokenThatNoStoreIssuesIsOfAForgottenLease) {
    for (const char* token : {"0", "-1", "9007199254740992"}) {
        StoreHarness store;
        const AcquireOptions asked{.key = "k"};
        ASSERT_FALSE(store.acquire(kLock, asked)->error);
        store.connection->exec(("UPDATE answers SET token = " + std::string(token)).c_str());

        const auto again = *store.acquire(kLock, asked);

        EXPECT_EQ(code_of(again), ErrorCode::LeaseNotFound) << token;
    }
}

TEST(Replay, SurvivesARestart) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    const auto first = store.refund("pay_42", a.fencing_token);

    store.reopen();

    EXPECT_EQ(store.refund("pay_42", a.fencing_token).body, first.body);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 100);
}

TEST(Replay, OfAnotherRequestUnderTheKeyIsRefused) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    ASSERT_FALSE(refund(store, a, 1, idempotency("k", "one body")).error);

    const auto other = refund(store, a, 2, idempotency("k", "another body"));

    EXPECT_EQ(code_of(other), ErrorCode::IdempotencyMismatch);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 1);
}

TEST(Replay, ABusinessRefusalIsFinalToo) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    const auto first = store.refund("pay_42", a.fencing_token, {.amount = 501});
    ASSERT_EQ(code_of(first), ErrorCode::RefundExceedsCaptured);

    const auto again = store.refund("pay_42", a.fencing_token, {.amount = 501});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.error->detail, first.error->detail);
    EXPECT_EQ(again.first_request_id, "req-3");
}

TEST(Replay, AFenceRefusalIsNeverStored) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    store.tick(Duration(1'001));
    ASSERT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceExpired);
    const auto again = *store.acquire(kLock);

    EXPECT_FALSE(store.refund("pay_42", again.fencing_token).error);
}

TEST(Replay, TheSameKeyTwiceInOneBatchHasOneEffect) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    std::vector<storage::Operation> batch;
    for (int copy = 0; copy < 100; ++copy)
        batch.push_back(StoreHarness::refund_of("pay_42", a.fencing_token));

    const auto answers = store.run_batch(std::move(batch));

    ASSERT_EQ(answers.size(), 100U);
    for (const auto& [ticket, answer] : answers)
        EXPECT_EQ(answer.body, answers.begin()->second.body);
    EXPECT_EQ(store.number("SELECT count(*) FROM transfers WHERE kind = 3"), 1);
}

TEST(Replay, OfAnAnswerThatCannotBeReadIsAnErrorAndNoSecondEffect) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    store.refund("pay_42", a.fencing_token, {.amount = 501});
    store.connection->exec("UPDATE answers SET error_code = 'mood' WHERE key = 'refund-1'");

    const auto again = store.refund("pay_42", a.fencing_token, {.amount = 501});

    EXPECT_EQ(code_of(again), ErrorCode::Internal);
    EXPECT_NE(again.error->detail.find("fencegate verify"), std::string::npos);
    EXPECT_FALSE(store.refund("pay_42", a.fencing_token, {.key = "refund-2"}).error);
    EXPECT_EQ(store.number("SELECT refunded FROM payments"), 100);
}

}  // namespace
}  // namespace fencegate::testing
