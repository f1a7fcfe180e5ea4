// The journal: sealed, linked, in order of time, and its balances agree with its entries whatever
// was rolled back.
#include "storage/money/ledger.hpp"

#include "storage/sqlite/journal_rows.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::storage {
namespace {

using testing::code_of;
using testing::idempotency;
using testing::StoreHarness;

constexpr const char* kLock = "payments/pay_1";

std::vector<JournalEntry> entries_of(StoreHarness& store) {
    const auto sql = std::string("SELECT ") + sqlite::kEntryColumns + " FROM transfers ORDER BY id";
    sqlite::Statement statement(*store.connection, sql.c_str());
    std::vector<JournalEntry> entries;
    auto row = statement.query();
    while (row.next()) entries.push_back(sqlite::entry_of(row));
    return entries;
}

// The first entry whose seal does not fit; 0 if all do.
std::int64_t broken_seal(StoreHarness& store) {
    Sha256 before{};
    for (const auto& entry : entries_of(store)) {
        before = seal_of(entry, before);
        if (before != entry.seal) return entry.id;
    }
    return 0;
}

// Accounts whose balance is not what their entries add up to.
std::int64_t wrong_balances(StoreHarness& store) {
    return store.number(
        "SELECT count(*) FROM (SELECT currency, account, -sum(min(amount, 0)) AS debits, "
        "sum(max(amount, 0)) AS credits FROM ledger_entries GROUP BY 1, 2) AS sums "
        "LEFT JOIN balances USING (currency, account) "
        "WHERE balances.debits IS NOT sums.debits OR balances.credits IS NOT sums.credits");
}

CreatePayment create_of(std::string id, std::string reference, std::string currency = "EUR") {
    auto key = idempotency("create " + id);
    return {.id = std::move(id),
            .currency = std::move(currency),
            .amount_minor = 1'000,
            .capture = true,
            .reference = std::move(reference),
            .metadata_json = {},
            .token = lockmgr::kNoToken,
            .idempotency = std::move(key)};
}

TEST(Journal, SealsEveryEntryOverTheOneBefore) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire(kLock);
    store.refund("pay_1", grant.fencing_token);
    store.reopen();
    store.create("pay_2", 500);

    EXPECT_EQ(store.number("SELECT count(*) FROM transfers"), 5);
    EXPECT_EQ(broken_seal(store), 0);
}

TEST(Journal, ASealDependsOnEveryFieldOfTheEntry) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto entry = entries_of(store).at(1);
    const auto sealed = seal_of(entry, {});
    const auto changed = [&](auto change) {
        auto other = entry;
        change(other);
        return seal_of(other, {}) != sealed;
    };

    EXPECT_TRUE(changed([](auto& one) { ++one.id; }));
    EXPECT_TRUE(changed([](auto& one) { one.payment_id += "x"; }));
    EXPECT_TRUE(changed([](auto& one) { one.kind = TransferKind::Refund; }));
    EXPECT_TRUE(changed([](auto& one) { one.debit = Account::FundsRefunded; }));
    EXPECT_TRUE(changed([](auto& one) { one.credit = Account::FundsRefunded; }));
    EXPECT_TRUE(changed([](auto& one) { ++one.amount_minor; }));
    EXPECT_TRUE(changed([](auto& one) { one.currency = "USD"; }));
    EXPECT_TRUE(changed([](auto& one) { one.public_id.bytes[0] ^= 1; }));
    EXPECT_TRUE(changed([](auto& one) { one.token = lockmgr::FencingToken(7); }));
    EXPECT_TRUE(changed([](auto& one) { one.principal += "x"; }));
    EXPECT_TRUE(changed([](auto& one) { one.owner += "x"; }));
    EXPECT_TRUE(changed([](auto& one) { one.key += "x"; }));
    EXPECT_TRUE(changed([](auto& one) { one.reason += "x"; }));
    EXPECT_TRUE(changed([](auto& one) { one.booked_at += std::chrono::milliseconds(1); }));
    EXPECT_TRUE(changed([](auto& one) { ++one.previous; }));
    EXPECT_TRUE(changed([](auto& one) { ++one.movement; }));
}

TEST(Journal, SaysWhoMovedMoneyUnderWhichKeyAndFence) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    const auto grant = *store.acquire(kLock, {.owner = "worker-7"});
    store.refund("pay_1", grant.fencing_token, {.key = "refund-9"});

    const auto entry = entries_of(store).back();

    EXPECT_EQ(entry.token, grant.fencing_token);
    EXPECT_EQ(entry.principal, "worker");
    EXPECT_EQ(entry.owner, "worker-7");
    EXPECT_EQ(entry.key, "refund-9");
    EXPECT_EQ(event_type(entry), "payment.refunded");
}

TEST(Journal, TransfersOfOneMovementNameItsFirst) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    store.create("pay_2", 1'000, false);

    const auto entries = entries_of(store);

    EXPECT_EQ(entries.at(0).movement, 1);
    EXPECT_EQ(entries.at(1).movement, 1);
    EXPECT_EQ(entries.at(2).movement, 3);
}

TEST(Journal, WaitsForAClockThatIsALittleBehindAndNotesATurnWhereItIsFollowedBack) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    store.clock.step_wall(-Duration(400));
    store.create("pay_2", 1'000);
    store.clock.step_wall(-std::chrono::hours(5));
    store.create("pay_3", 1'000);
    store.reopen();
    store.create("pay_4", 1'000);

    const auto entries = entries_of(store);

    ASSERT_EQ(entries.size(), 8U);
    EXPECT_EQ(entries[2].booked_at, entries[0].booked_at);
    EXPECT_EQ(entries[4].booked_at, store.clock.wall_now());
    EXPECT_EQ(entries[6].booked_at, store.clock.wall_now());
    EXPECT_EQ(store.number("SELECT count(*) FROM clock_turns"), 1);
    EXPECT_EQ(store.number("SELECT transfer_id FROM clock_turns"), entries[4].id);
}

TEST(Journal, BalancesAreWhatTheEntriesAddUpTo) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    store.create("pay_2", 500, false);
    static_cast<void>(store.run(create_of("pay_3", "", "JPY")));
    const auto grant = *store.acquire(kLock);
    store.refund("pay_1", grant.fencing_token, {.amount = 250});

    EXPECT_EQ(wrong_balances(store), 0);
    EXPECT_EQ(store.number("SELECT credits FROM balances WHERE account = 3"), 250);
    EXPECT_EQ(store.number("SELECT sum(debits) - sum(credits) FROM balances"), 0);
}

TEST(Journal, TakesBackWithACommandWhatItBooked) {
    StoreHarness store;
    store.create("pay_1", 1'000);
    store.connection->exec(
        "CREATE TRIGGER no_answers BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'no'); END");

    EXPECT_EQ(code_of(store.create("pay_2", 700)), ErrorCode::Internal);
    store.connection->exec("DROP TRIGGER no_answers");
    store.create("pay_3", 300);

    EXPECT_EQ(broken_seal(store), 0);
    EXPECT_EQ(wrong_balances(store), 0);
    EXPECT_EQ(store.number("SELECT max(id) - count(*) FROM transfers"), 0);
}

TEST(Journal, MarksItsBalancesEveryFewThousandEntries) {
    StoreHarness store;
    std::vector<Operation> operations;
    for (int at = 0; at < kMarkEvery; ++at)
        operations.emplace_back(create_of("pay_" + std::to_string(at), ""));
    static_cast<void>(store.run_batch(std::move(operations)));
    store.reopen();
    store.create("one_more", 1);

    EXPECT_EQ(store.number("SELECT transfer_id FROM marks"), 2 * kMarkEvery);
    EXPECT_EQ(store.number("SELECT credits FROM mark_balances WHERE account = 2"),
              kMarkEvery * 1'000);
    EXPECT_EQ(store.number("SELECT count(*) FROM marks"), 1);
}

TEST(Journal, RefusesMoneyThatItsSumsCannotHold) {
    StoreHarness store;
    store.connection->exec(
        "INSERT INTO balances VALUES ('EUR', 0, 9223372036854775000, 9223372036854775000)");
    store.reopen();

    EXPECT_EQ(code_of(store.create("pay_1", 808)), ErrorCode::InvalidArgument);
    EXPECT_FALSE(store.create("pay_2", 807, false).error);
}

TEST(PaymentReferences, BelongToOnePaymentOfAPrincipal) {
    StoreHarness store;
    ASSERT_FALSE(store.run(create_of("pay_1", "order 7"))->error);

    const auto second = *store.run(create_of("pay_2", "order 7"));
    const auto of_another = *store.run(create_of("pay_3", "order 7"), "another");

    EXPECT_EQ(code_of(second), ErrorCode::ReferenceExists);
    EXPECT_NE(second.error->detail.find("pay_1"), std::string::npos);
    EXPECT_FALSE(of_another.error);
    EXPECT_TRUE(store.run(create_of("pay_2", "order 7"))->is_replayed);
}

}  // namespace
}  // namespace fencegate::storage
