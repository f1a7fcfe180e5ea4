#include "lockmgr/guards.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

TEST(Guards, NameTheLockOfEachRow) {
    EXPECT_EQ(payment_lock("pay_42").value(), "payments/pay_42");
    EXPECT_EQ(election_lock("scheduler").value(), "elections/scheduler");
    EXPECT_EQ(run_lock("nightly", "2026-01-01T00:00:00Z").value(),
              "runs/nightly/2026-01-01T00:00:00Z");
}

TEST(Guards, TheLocksOfPaymentsAreOneRange) {
    for (const char* id : {"-", "0", "zzzz", "~"}) {
        const auto name = payment_lock(id).value();
        EXPECT_LE(kPaymentLocks.first, name);
        EXPECT_LT(name, kPaymentLocks.end);
    }
    for (const char* other :
         {"payment", "payments", "payments-2/a", "payments.eu/a", "paymentsx/a"})
        EXPECT_FALSE(kPaymentLocks.first <= std::string_view(other) && other < kPaymentLocks.end)
            << other;
}

TEST(Guards, AnIdThatIsNoneStillHasAName) {
    EXPECT_EQ(payment_lock_name("not an id"), "payments/not an id");
}

}  // namespace
}  // namespace fencegate::lockmgr
