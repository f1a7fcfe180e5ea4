// The port of an engine: payments, their references, and the journal as it is read.
#include "tests/storage/unit/store_contract.hpp"

namespace fencegate::storage {
namespace {

class StoreContractPayments : public StoreContract {};

INSTANTIATE_TEST_SUITE_P(Engines, StoreContractPayments, ::testing::ValuesIn(engines()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(StoreContractPayments, HoldsComeByHourAndIdFromBehindTheLast) {
    commit([&](Changes& made) {
        made.new_payments = {payment("b", 1), payment("a", 2), payment("c", 1),
                             payment("young", 5)};
    });
    const auto first = read([&] { return rows.payments.holds_before(5, {}, 2); });
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[1].payment_id, "c");
    const auto rest = read([&] { return rows.payments.holds_before(5, first[1], 2); });
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].payment_id, "a");
}

TEST_P(StoreContractPayments, AReferenceIsOfOnePrincipal) {
    auto made = payment("pay_1");
    made.reference = "order-1";
    const auto refer = [](Changes& changes) {
        changes.references.push_back({"order-1", "worker", "pay_1"});
    };
    commit([&](Changes& changes) {
        changes.new_payments.push_back(made);
        refer(changes);
    });
    EXPECT_EQ(read([&] { return rows.payments.find_reference("order-1", "worker"); }), "pay_1");
    EXPECT_FALSE(read([&] { return rows.payments.find_reference("order-1", "other"); }));
    EXPECT_TRUE(attempt(refer));
}

// Two payments; the first is captured and refunded twice.
class StoreContractJournal : public StoreContract {
protected:
    StoreContractJournal() {
        commit([&](Changes& made) {
            made.new_payments = {payment("pay_1"), payment("pay_2")};
            made.ledger.entries = {entry(1, "pay_1"), entry(2, "pay_2"),
                                   entry(3, "pay_1", TransferKind::Capture, 1),
                                   entry(4, "pay_1", TransferKind::Refund, 3),
                                   entry(5, "pay_1", TransferKind::Refund, 4)};
            made.ledger.balances = {{"EUR", Account::FundsHeld, {7, 8}}};
            made.ledger.mark = LedgerMark{.head = {.id = 3}, .balances = {}};
            made.ledger.mark->balances["EUR"][std::to_underlying(Account::FundsHeld)] = {3, 4};
        });
        commit([&](Changes& made) {
            auto& first = made.payments.emplace_back(payment("pay_1"));
            first.state = PaymentState::Captured;
            first.captured_minor = 500;
            first.refunded_minor = 200;
            first.last_transfer = 5;
        });
    }
    static std::vector<std::int64_t> ids(const std::vector<JournalEntry>& entries) {
        std::vector<std::int64_t> found;
        for (const auto& one : entries) found.push_back(one.id);
        return found;
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, StoreContractJournal, ::testing::ValuesIn(engines()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(StoreContractJournal, IsReadBackWithItsHeadAndItsBalances) {
    const auto state = read([&] { return rows.ledger.read(); });
    EXPECT_EQ(state.head.id, 5);
    EXPECT_EQ(state.head.entries, 5);
    EXPECT_EQ(state.head.marked, 3);
    EXPECT_EQ(state.head.seal, entry(5, "").seal);
    EXPECT_EQ(state.head.booked_at, clock.wall_now() + Duration(5));
    const auto& held = state.balances.at("EUR").at(std::to_underlying(Account::FundsHeld));
    EXPECT_EQ(held.debits_minor, 7);
    EXPECT_EQ(held.credits_minor, 8);
    const auto found = *read([&] { return rows.entries.find(4); });
    EXPECT_EQ(found.payment_id, "pay_1");
    EXPECT_EQ(found.kind, TransferKind::Refund);
    EXPECT_EQ(found.previous, 3);
    EXPECT_EQ(found.seal, entry(4, "").seal);
}

TEST_P(StoreContractJournal, IsPagedInBothDirectionsWithinRanges) {
    const EntryRanges all{{.first = 1, .end = 6}};
    const EntryRanges apart{{.first = 1, .end = 3}, {.first = 5, .end = 6}};
    EXPECT_EQ(ids(read([&] { return rows.entries.before(6, all, 2); })),
              (std::vector<std::int64_t>{5, 4}));
    EXPECT_EQ(ids(read([&] { return rows.entries.after(1, all, 2); })),
              (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(ids(read([&] { return rows.entries.before(6, apart, 9); })),
              (std::vector<std::int64_t>{5, 2, 1}));
    EXPECT_EQ(ids(read([&] { return rows.entries.after(0, apart, 9); })),
              (std::vector<std::int64_t>{1, 2, 5}));
    const auto created = read([&] { return rows.entries.created_before(6, all, 9); });
    ASSERT_EQ(created.size(), 2u);
    EXPECT_EQ(created[0].payment_id, "pay_2");
    EXPECT_EQ(read([&] { return rows.entries.created_after(1, all, 9).size(); }), 1u);
}

TEST_P(StoreContractJournal, IsFoundByTime) {
    const TimeRange middle{.from = clock.wall_now() + Duration(2),
                           .to = clock.wall_now() + Duration(4)};
    const auto ranges = read([&] { return rows.entries.ranges_of(middle); });
    ASSERT_EQ(ranges.size(), 1u);
    EXPECT_EQ(ranges[0].first, 2);
    EXPECT_EQ(ranges[0].end, 4);
    const auto whole = read([&] { return rows.entries.ranges_of({}); });
    ASSERT_EQ(whole.size(), 1u);
    EXPECT_EQ(whole[0].end, 6);
}

TEST_P(StoreContractJournal, AStatementBeginsAtTheNewestMark) {
    const auto marked =
        read([&] { return rows.entries.marked_until(4, Account::FundsHeld, "EUR"); });
    EXPECT_EQ(marked.id, 3);
    EXPECT_EQ(marked.debits_minor, 3);
    EXPECT_EQ(marked.credits_minor, 4);
    EXPECT_EQ(read([&] { return rows.entries.marked_until(2, Account::FundsHeld, "EUR").id; }), 0);
}

TEST_P(StoreContractJournal, RefundsFollowTheChainOfTheirPayment) {
    const auto made = *read([&] { return rows.payments.find("pay_1"); });
    const auto all = *read([&] { return rows.payments.refunds(made, 0, 9); });
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].transfer_id, 5);
    EXPECT_EQ(all[1].amount_minor, 104);
    EXPECT_EQ(read([&] { return rows.payments.refunds(made, 5, 9); })->size(), 1u);
    EXPECT_FALSE(read([&] { return rows.payments.refunds(made, 2, 9); }));  // another payment's
}

}  // namespace
}  // namespace fencegate::storage
