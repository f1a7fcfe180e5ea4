// Versions of a payment, which If-Match names, and payments that expire.
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::storage::sqlite {
namespace {

using testing::code_of;
using testing::has;
using testing::idempotency;
using testing::StoreHarness;

constexpr const char* kLock = "payments/pay_1";
constexpr std::chrono::hours kHour(1);
constexpr Retention kShort{.holds = std::chrono::hours(5)};
const std::vector<lockmgr::LockClass> kClasses{{.name = "payments"}};

MovePayment move_of(MovePayment::Kind kind, const Answer& grant,
                    std::optional<PaymentVersions> versions = std::nullopt) {
    return {.kind = kind,
            .payment_id = "pay_1",
            .amount_minor = 100,
            .reason = {},
            .token = testing::presented(grant.fencing_token),
            .idempotency = idempotency("move"),
            .if_version = std::move(versions)};
}

void run_hours(StoreHarness& store, int hours) {
    while (hours-- > 0) store.tick(kHour);
    for (int rounds = 0; rounds < 5; ++rounds) store.tick(Duration(25));
}

TEST(PaymentVersion, RisesWithEveryChangeAndIsTold) {
    StoreHarness store;
    const auto created = store.create("pay_1", 1'000);
    const auto grant = *store.acquire(kLock);
    const auto refunded = store.refund("pay_1", grant.fencing_token);

    EXPECT_GT(created.version, 0);
    EXPECT_GT(refunded.version, created.version);
    EXPECT_EQ(store.payment("pay_1").version, refunded.version);
}

TEST(PaymentVersion, ThatIsNotMeantRefusesTheMoveAndLeavesTheKeyFree) {
    StoreHarness store;
    const auto created = store.create("pay_1", 1'000);
    const auto grant = *store.acquire(kLock);
    const auto other = created.version + 1;

    const auto refused = *store.run(move_of(MovePayment::Kind::Refund, grant, {{other}}));
    const auto nothing = *store.run(move_of(MovePayment::Kind::Refund, grant, PaymentVersions{}));
    const auto passed =
        *store.run(move_of(MovePayment::Kind::Refund, grant, {{other, created.version}}));

    EXPECT_EQ(code_of(refused), ErrorCode::PaymentChanged);
    EXPECT_EQ(code_of(nothing), ErrorCode::PaymentChanged);
    EXPECT_FALSE(passed.error);
    EXPECT_FALSE(passed.is_replayed);
}

TEST(PaymentVersion, OfAReplayIsThatOfTheFirstAnswer) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire(kLock);
    const auto first = store.refund("pay_1", grant.fencing_token, {.key = "first"});
    store.refund("pay_1", grant.fencing_token, {.key = "second"});

    const auto again = store.refund("pay_1", grant.fencing_token, {.key = "first"});

    EXPECT_TRUE(again.is_replayed);
    EXPECT_EQ(again.version, first.version);
}

TEST(Hold, ExpiresAfterItsHoursAndGivesTheMoneyBack) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000, false);

    run_hours(store, 5);
    EXPECT_TRUE(has(store.payment("pay_1").body, R"("status":"authorized")"));
    run_hours(store, 1);

    EXPECT_TRUE(has(store.payment("pay_1").body, R"("status":"expired")"));
    EXPECT_EQ(store.number("SELECT debits - credits FROM balances WHERE account = 0"), 0);
    EXPECT_EQ(store.number("SELECT count(*) FROM transfers WHERE kind = 2 AND token IS NULL"), 1);
    const auto grant = *store.acquire(kLock);
    EXPECT_EQ(code_of(*store.run(move_of(MovePayment::Kind::Capture, grant))),
              ErrorCode::PaymentNotCapturable);
}

TEST(Hold, DoesNotExpireBecauseTheWallClockJumps) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000, false);

    store.clock.step_wall(std::chrono::hours(24 * 365));
    run_hours(store, 2);

    EXPECT_TRUE(has(store.payment("pay_1").body, R"("status":"authorized")"));
}

TEST(Hold, DoesNotExpireWhileItsLockIsHeld) {
    constexpr std::chrono::hours kThirty(30);
    StoreHarness store({{.name = "payments", .ttl_max = kThirty}}, kShort);
    store.create("pay_1", 1'000, false);
    const auto grant = *store.acquire(kLock, {.ttl_ms = Duration(kThirty).count()});

    run_hours(store, 8);
    EXPECT_TRUE(has(store.payment("pay_1").body, R"("status":"authorized")"));
    store.release(grant);
    run_hours(store, 1);

    EXPECT_TRUE(has(store.payment("pay_1").body, R"("status":"expired")"));
}

TEST(Hold, ManyExpireInOneHourThoughNobodyAsks) {
    StoreHarness store(kClasses, kShort);
    for (int at = 0; at < 200; ++at) store.create("pay_" + std::to_string(at), 10, false);

    run_hours(store, 6);

    EXPECT_EQ(store.number("SELECT count(*) FROM payments WHERE state = 3"), 200);
    EXPECT_EQ(store.number("SELECT debits FROM balances WHERE account = 1"), 2'000);
}

TEST(Hold, ThatCannotExpireKeepsNobodyElsesMoney) {
    StoreHarness store(kClasses, kShort);
    for (int at = 0; at < 3; ++at) store.create("pay_" + std::to_string(at), 10, false);
    store.connection->exec(
        "CREATE TRIGGER stuck BEFORE UPDATE ON payments WHEN NEW.id = 'pay_0' "
        "BEGIN SELECT raise(ABORT, 'stuck'); END");

    run_hours(store, 6);

    EXPECT_EQ(store.number("SELECT count(*) FROM payments WHERE state = 3"), 2);
    EXPECT_EQ(store.number("SELECT count(*) FROM payments WHERE id = 'pay_0' AND state = 0"), 1);
}

TEST(Hold, OfACapturedPaymentIsGoneForGood) {
    StoreHarness store(kClasses, kShort);
    store.create("pay_1", 1'000);

    run_hours(store, 8);

    EXPECT_TRUE(has(store.payment("pay_1").body, R"("status":"captured")"));
}

}  // namespace
}  // namespace fencegate::storage::sqlite
