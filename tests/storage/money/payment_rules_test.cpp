#include "storage/money/payment_rules.hpp"

#include "storage/money/money.hpp"

#include <gtest/gtest.h>

#include <random>

namespace fencegate::storage {
namespace {

Payment authorized(std::int64_t amount_minor) {
    Payment payment;
    payment.currency = "EUR";
    payment.authorized_minor = amount_minor;
    return payment;
}

TEST(PaymentRules, RefuseAmountsBelowOne) {
    const auto payment = decide_create(authorized(500), true).after;

    EXPECT_EQ(decide_refund(payment, 0).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(decide_refund(payment, -5).error().code, ErrorCode::InvalidArgument);
    EXPECT_EQ(decide_capture(authorized(5), 0).error().code, ErrorCode::InvalidArgument);
}

TEST(PaymentRules, TakeTheLargestAmount) {
    const auto payment = decide_create(authorized(kAmountMinorMax), true).after;

    const auto refund = decide_refund(payment, kAmountMinorMax);

    ASSERT_TRUE(refund);
    EXPECT_EQ(refund->after.refunded_minor, kAmountMinorMax);
}

// Balances that the transfers of a change leave, by account.
std::array<std::int64_t, 4> booked(const std::vector<Transfer>& transfers) {
    std::array<std::int64_t, 4> balances{};
    for (const auto& transfer : transfers) {
        const auto [debit, credit] = accounts_of(transfer.kind);
        balances[static_cast<std::size_t>(debit)] -= transfer.amount_minor;
        balances[static_cast<std::size_t>(credit)] += transfer.amount_minor;
    }
    return balances;
}

TEST(PaymentRules, KeepAmountsInOrderAndBookedForAnySequence) {
    for (unsigned seed = 0; seed < 2'000; ++seed) {
        std::mt19937 random(seed);
        auto change = decide_create(authorized(1 + random() % 1'000), random() % 2 == 0);
        auto payment = change.after;
        auto journal = change.transfers;
        for (int step = 0; step < 8; ++step) {
            const std::int64_t amount = 1 + random() % 600;
            const auto kind = random() % 3;
            const auto next = kind == 0   ? decide_capture(payment, amount)
                              : kind == 1 ? decide_refund(payment, amount)
                                          : decide_cancel(payment);
            if (!next) continue;
            payment = next->after;
            journal.insert(journal.end(), next->transfers.begin(), next->transfers.end());
        }

        ASSERT_LE(payment.refunded_minor, payment.captured_minor) << "seed " << seed;
        ASSERT_LE(payment.captured_minor, payment.authorized_minor) << "seed " << seed;
        const auto balances = booked(journal);
        const bool is_held = payment.state == PaymentState::Authorized;
        ASSERT_EQ(balances[1], is_held ? payment.authorized_minor : 0) << "seed " << seed;
        ASSERT_EQ(balances[2], payment.captured_minor - payment.refunded_minor) << "seed " << seed;
        ASSERT_EQ(balances[3], payment.refunded_minor) << "seed " << seed;
    }
}

}  // namespace
}  // namespace fencegate::storage
