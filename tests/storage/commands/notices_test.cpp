// What watchers are told by the store: everything that committed, in its order, and nothing else.
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace fencegate::testing {
namespace {

using lockmgr::LeaseEnding;
using Kind = storage::LockNotice::Kind;
using Told = std::pair<Kind, LeaseEnding>;

constexpr Told kGranted{Kind::Granted, {}};
constexpr Told kRenewed{Kind::Renewed, {}};

std::vector<Told> told(const StoreHarness& store) {
    std::vector<Told> told;
    for (const auto& notice : store.observer.notices) told.emplace_back(notice.kind, notice.ending);
    return told;
}

TEST(Notices, TellTheLifeOfALeaseInOrder) {
    StoreHarness store;
    const auto a = *store.acquire("a", {.owner = "me", .ttl_ms = 5'000});
    ASSERT_FALSE(store.renew(a).error);
    ASSERT_FALSE(store.release(a).error);
    store.acquire("a", {.ttl_ms = 1'000});

    store.tick(Duration(1'000));

    ASSERT_EQ(told(store),
              (std::vector{kGranted, kRenewed, Told{Kind::Ended, LeaseEnding::Released}, kGranted,
                           Told{Kind::Ended, LeaseEnding::Expired}}));
    const auto& granted = store.observer.notices.front();
    ASSERT_EQ(granted.locks.size(), 1U);
    EXPECT_EQ(granted.locks[0].value(), "a");
    EXPECT_EQ(granted.token, a.fencing_token);
    EXPECT_EQ(granted.principal, "worker");
    EXPECT_EQ(granted.owner, "me");
    EXPECT_EQ(granted.ttl, Duration(5'000));
}

TEST(Notices, ABreakTellsItsReasonBeforeTheNextGrant) {
    StoreHarness store;
    const auto a = *store.acquire("a", {.ttl_ms = 60'000});
    store.acquire("a", {.owner = "next", .wait_ms = 5'000});

    store.run(storage::BreakLock{lockmgr::LockName::from_store("a"), *a.fencing_token, "it hangs"});

    ASSERT_EQ(told(store),
              (std::vector{kGranted, Told{Kind::Ended, LeaseEnding::Broken}, kGranted}));
    EXPECT_EQ(store.observer.notices[1].text, "it hangs");
    EXPECT_EQ(store.observer.notices[2].owner, "next");
}

TEST(Notices, ARefusedWriteTellsWhoHoldsTheLockAndHowLateItWas) {
    StoreHarness store;
    store.create("pay_42", 500);
    const auto a = *store.acquire("payments/pay_42");
    store.tick(Duration(1'000));
    const auto b = *store.acquire("payments/pay_42");
    store.clock.advance(Duration(250));

    EXPECT_EQ(code_of(store.refund("pay_42", a.fencing_token)), ErrorCode::FenceStale);

    const auto& refused = store.observer.notices.back();
    EXPECT_EQ(refused.kind, Kind::Refused);
    EXPECT_EQ(refused.locks.at(0).value(), "payments/pay_42");
    EXPECT_EQ(refused.token, a.fencing_token);
    EXPECT_EQ(refused.current_token, b.fencing_token);
    EXPECT_EQ(refused.refusal, ErrorCode::FenceStale);
    EXPECT_EQ(refused.late, Duration(250));
}

TEST(Notices, SayNothingOfWhatWasTakenBack) {
    StoreHarness store;
    store.connection->exec(
        "CREATE TEMP TRIGGER sabotage AFTER INSERT ON leases WHEN NEW.owner = 'unlucky' "
        "BEGIN SELECT RAISE(ABORT, 'sabotage'); END");

    EXPECT_EQ(code_of(*store.acquire("a", {.owner = "unlucky"})), ErrorCode::Internal);

    EXPECT_TRUE(store.observer.notices.empty());
}

TEST(Notices, AReplayedGrantIsToldOnce) {
    StoreHarness store;
    store.acquire("a", {.key = "k"});

    store.acquire("a", {.key = "k"});

    EXPECT_EQ(store.observer.notices.size(), 1U);
}

}  // namespace
}  // namespace fencegate::testing
