// Payments in the store: life cycle and journal, promise 6.
#include "tests/support/store_harness.hpp"
#include "tests/support/tokens.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::Answer;
using storage::MovePayment;

constexpr const char* kLock = "payments/pay_42";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

struct Move {
    MovePayment::Kind kind;
    std::optional<std::int64_t> amount = std::nullopt;
    std::string key = "move";
};

Answer move(StoreHarness& store, const Answer& grant, Move wanted) {
    return *store.run(MovePayment{.kind = wanted.kind,
                                  .payment_id = "pay_42",
                                  .amount_minor = wanted.amount,
                                  .reason = {},
                                  .token = testing::presented(grant.fencing_token),
                                  .idempotency = idempotency(wanted.key)});
}

TEST(Payments, AreCapturedAtOnceUnlessToldOtherwise) {
    StoreHarness store;

    EXPECT_TRUE(has(store.create("pay_1", 500).body, R"("status":"captured")"));
    EXPECT_TRUE(has(store.create("pay_2", 500, false).body, R"("status":"authorized")"));
}

TEST(Payments, APartialCaptureReleasesTheRest) {
    StoreHarness store;
    store.create("pay_42", 500, false);
    const auto grant = *store.acquire(kLock);

    const auto captured = move(store, grant, {MovePayment::Kind::Capture, 300});

    EXPECT_TRUE(has(captured.body, R"("status":"partially_captured")"));
    EXPECT_EQ(store.number("SELECT sum(amount) FROM ledger_entries WHERE account = 1"), 0);
    EXPECT_EQ(store.number("SELECT sum(amount) FROM ledger_entries WHERE account = 2"), 300);
    EXPECT_EQ(store.number("SELECT sum(amount) FROM ledger_entries WHERE account = 0"), -300);
}

TEST(Payments, NothingIsCapturedRefundedOrCancelledInTheWrongState) {
    StoreHarness store;
    store.create("pay_42", 500, false);
    const auto grant = *store.acquire(kLock);
    const auto code = [&](MovePayment::Kind kind, std::optional<std::int64_t> amount,
                          std::string key) {
        return code_of(move(store, grant, {kind, amount, std::move(key)}));
    };

    EXPECT_EQ(code(MovePayment::Kind::Refund, 1, "a"), ErrorCode::PaymentNotRefundable);
    EXPECT_EQ(code(MovePayment::Kind::Capture, 501, "b"), ErrorCode::CaptureExceedsAuthorized);
    ASSERT_FALSE(move(store, grant, {MovePayment::Kind::Capture, 500, "c"}).error);
    EXPECT_EQ(code(MovePayment::Kind::Capture, 1, "d"), ErrorCode::PaymentNotCapturable);
    EXPECT_EQ(code(MovePayment::Kind::Cancel, std::nullopt, "e"), ErrorCode::PaymentNotCancellable);
    EXPECT_EQ(code(MovePayment::Kind::Refund, 501, "f"), ErrorCode::RefundExceedsCaptured);
    EXPECT_EQ(store.number("SELECT count(*) FROM transfers"), 2);
}

TEST(Payments, ACancelGivesTheHoldBack) {
    StoreHarness store;
    store.create("pay_42", 500, false);
    const auto grant = *store.acquire(kLock);

    EXPECT_TRUE(
        has(move(store, grant, {MovePayment::Kind::Cancel}).body, R"("status":"cancelled")"));
    EXPECT_EQ(store.number("SELECT sum(amount) FROM ledger_entries WHERE account = 0"), 0);
}

TEST(Payments, ARefundWithoutAmountIsTheRest) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto grant = *store.acquire(kLock);
    move(store, grant, {MovePayment::Kind::Refund, 120, "a"});

    const auto rest = move(store, grant, {MovePayment::Kind::Refund, std::nullopt, "b"});

    EXPECT_TRUE(has(rest.body, R"("amount":380)"));
    EXPECT_TRUE(has(rest.body, R"("payment_status":"refunded")"));
    EXPECT_EQ(code_of(move(store, grant, {MovePayment::Kind::Refund, std::nullopt, "c"})),
              ErrorCode::PaymentNotRefundable);
}

TEST(Payments, OfAnUnknownIdAreRefused) {
    StoreHarness store;
    const auto grant = *store.acquire(kLock);

    EXPECT_EQ(code_of(store.payment("pay_42")), ErrorCode::PaymentNotFound);
    EXPECT_EQ(code_of(store.refund("pay_42", grant.fencing_token)), ErrorCode::PaymentNotFound);
}

TEST(Payments, WithATakenIdAreRefused) {
    StoreHarness store;
    store.create("pay_42", 500);
    storage::CreatePayment second{.id = "pay_42",
                                  .currency = "EUR",
                                  .amount_minor = 9,
                                  .capture = true,
                                  .reference = {},
                                  .metadata_json = {},
                                  .token = lockmgr::kNoToken,
                                  .idempotency = idempotency("another")};

    EXPECT_EQ(code_of(*store.run(second)), ErrorCode::PaymentExists);
    EXPECT_EQ(store.number("SELECT authorized FROM payments"), 500);
}

TEST(Payments, ACreateUnderADeadTokenIsRefused) {
    StoreHarness store;
    const auto grant = *store.acquire("orders/7");
    storage::CreatePayment create{.id = "pay_42",
                                  .currency = "EUR",
                                  .amount_minor = 9,
                                  .capture = true,
                                  .reference = {},
                                  .metadata_json = {},
                                  .token = testing::presented(grant.fencing_token),
                                  .idempotency = idempotency("k")};
    store.tick(Duration(1'001));

    EXPECT_EQ(code_of(*store.run(create)), ErrorCode::FenceExpired);
    EXPECT_EQ(store.number("SELECT count(*) FROM payments"), 0);
}

TEST(Payments, EveryCurrencySumsToZero) {
    StoreHarness store;
    store.create("pay_1", 500);
    store.create("pay_2", 700, false);
    const auto grant = *store.acquire("payments/pay_1");
    store.refund("pay_1", grant.fencing_token, {.amount = 77});

    EXPECT_EQ(store.number("SELECT count(*) FROM ledger_entries"), 8);
    EXPECT_EQ(store.number("SELECT sum(amount) FROM ledger_entries"), 0);
}

TEST(Payments, TheJournalCannotBeChanged) {
    StoreHarness store;
    store.create("pay_42", 500);
    auto& connection = *store.connection;

    connection.exec("UPDATE transfers SET amount = 1");

    ASSERT_TRUE(connection.failure());
    EXPECT_EQ(connection.failure()->kind, storage::sqlite::Failure::Kind::Constraint);
    connection.clear_failure();
    connection.exec("DELETE FROM transfers");
    EXPECT_TRUE(connection.failure());
}

TEST(Payments, TheSchemaRefusesWhatTheRulesWouldNotWrite) {
    StoreHarness store;
    store.create("pay_42", 500);
    for (const char* sql :
         {"UPDATE payments SET refunded = 501", "UPDATE payments SET captured = 501, refunded = 0",
          "UPDATE payments SET refunded = -1", "UPDATE payments SET state = 0"}) {
        store.connection->exec(sql);
        EXPECT_TRUE(store.connection->failure()) << sql;
        store.connection->clear_failure();
    }
}

TEST(Refunds, AreListedNewestFirstInPagesWithoutGapsOrRepeats) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire(kLock);
    for (int index = 0; index < 5; ++index)
        store.refund("pay_42", a.fencing_token,
                     {.amount = 1 + index, .key = std::to_string(index)});

    const auto first = *store.run(storage::ListRefunds{"pay_42", 0, 3});
    const auto cursor_at = first.body.find(R"("next_cursor":")");
    ASSERT_NE(cursor_at, std::string::npos);
    const auto cursor = std::stoll(first.body.substr(cursor_at + 15));
    const auto second = *store.run(storage::ListRefunds{"pay_42", cursor, 3});

    EXPECT_TRUE(has(first.body, R"("amount":3)"));
    EXPECT_FALSE(has(first.body, R"("amount":2)"));
    EXPECT_FALSE(has(second.body, R"("amount":3)"));
    EXPECT_TRUE(has(second.body, R"("amount":1)"));
    EXPECT_TRUE(has(second.body, R"("has_more":false)"));
    EXPECT_EQ(code_of(*store.run(storage::ListRefunds{"pay_42", 1'000, 3})),
              ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace fencegate::testing
