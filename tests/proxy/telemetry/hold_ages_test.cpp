#include "proxy/telemetry/hold_ages.hpp"

#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fencegate::proxy {
namespace {

using namespace std::chrono_literals;
using fencegate::testing::ManualClock;
using lockmgr::FencingToken;
using lockmgr::LockName;
using storage::LockNotice;
using storage::Seconds;
using Kind = LockNotice::Kind;

constexpr ClassId kPayments = 0;
constexpr ClassId kOther = 1;

class HoldAgesTest : public ::testing::Test {
protected:
    static std::vector<LockName> locks(const std::vector<std::string>& names) {
        std::vector<LockName> found;
        for (const auto& name : names) found.push_back(*LockName::parse(name));
        return found;
    }
    void notice(Kind kind, std::int64_t token, const std::vector<std::string>& names) {
        ages.note_notices({{.kind = kind, .locks = locks(names), .token = FencingToken(token)}});
    }
    void grant(std::int64_t token, const std::string& name) {
        notice(Kind::Granted, token, {name});
    }
    void refuse(const std::string& name) {
        ages.note_contentions({{locks({name}).front(), Seconds(0)}});
    }
    HoldSpans of(ClassId lock_class) { return ages.look(clock.boot_now())[lock_class]; }

    ManualClock clock;
    lockmgr::LockClasses classes{{lockmgr::LockClass{.name = "payments"}}};
    HoldAges ages{classes, clock};
};

TEST_F(HoldAgesTest, TheOldestHoldIsTheOneThatIsLeft) {
    grant(1, "payments/a");
    clock.advance(10s);
    grant(2, "payments/b");
    clock.advance(5s);

    EXPECT_EQ(of(kPayments).oldest, 15s);
    EXPECT_EQ(of(kOther).oldest, 0s);
    notice(Kind::Ended, 1, {"payments/a"});
    EXPECT_EQ(of(kPayments).oldest, 5s);
    notice(Kind::Ended, 2, {"payments/b"});
    EXPECT_EQ(of(kPayments).oldest, 0s);
}

TEST_F(HoldAgesTest, OnlyWhoTurnedSomebodyAwayIsInTheWay) {
    grant(1, "payments/wanted");
    grant(2, "payments/unwanted");
    clock.advance(1min);
    refuse("payments/wanted");
    clock.advance(4min);

    EXPECT_EQ(of(kPayments).in_the_way_silent, 5min);
    EXPECT_EQ(of(kPayments).in_the_way_held, 5min);
    notice(Kind::Ended, 1, {"payments/wanted"});
    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s);
    EXPECT_EQ(of(kPayments).in_the_way_held, 0s);
    EXPECT_EQ(of(kPayments).oldest, 5min);
}

TEST_F(HoldAgesTest, WhoseLockNobodyAsksForAnyMoreIsNotInTheWay) {
    grant(1, "payments/a");
    refuse("payments/a");
    clock.advance(std::chrono::duration_cast<Duration>(HoldAges::kInTheWay));
    EXPECT_EQ(of(kPayments).in_the_way_silent, HoldAges::kInTheWay);

    clock.advance(1ms);

    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s);
}

TEST_F(HoldAgesTest, ARenewalIsASignOfLifeAndNoNewGrant) {
    grant(1, "payments/a");
    clock.advance(2min);
    notice(Kind::Renewed, 1, {"payments/a"});
    clock.advance(1min);
    refuse("payments/a");

    EXPECT_EQ(of(kPayments).in_the_way_silent, 1min);
    EXPECT_EQ(of(kPayments).in_the_way_held, 3min);
}

TEST_F(HoldAgesTest, ALeaderMayHoldForEverButNotInSilence) {
    notice(Kind::Granted, 1, {"elections/scheduler", "payments/a"});
    refuse("elections/scheduler");
    clock.advance(1min);

    EXPECT_EQ(of(kOther).in_the_way_held, 0s);
    EXPECT_EQ(of(kOther).in_the_way_silent, 1min);
    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s) << "nobody asked for the other lock";
    EXPECT_EQ(of(kPayments).oldest, 1min);
}

TEST_F(HoldAgesTest, WhatAnEarlierRunGrantedCountsFromTheStart) {
    ages.note_held(kPayments, 1);
    clock.advance(1min);
    EXPECT_EQ(of(kPayments).oldest, 1min);
    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s);

    refuse("payments/a");
    EXPECT_EQ(of(kPayments).in_the_way_silent, 1min);

    notice(Kind::Renewed, 7, {"payments/a"});
    refuse("payments/a");
    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s);
    EXPECT_EQ(of(kPayments).in_the_way_held, 1min);
    EXPECT_EQ(of(kPayments).oldest, 1min);

    notice(Kind::Ended, 7, {"payments/a"});
    EXPECT_EQ(of(kPayments).oldest, 0s);
}

TEST_F(HoldAgesTest, OfWhatAnEarlierRunGrantedTheEndIsNoticedToo) {
    ages.note_held(kPayments, 1);
    ages.note_held(kPayments, 5);  // later levels are not what was inherited
    clock.advance(1min);
    refuse("payments/a");

    notice(Kind::Ended, 7, {"payments/a"});

    EXPECT_EQ(of(kPayments).oldest, 0s);
    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s);
    refuse("payments/b");  // by a lock_delay or a quota: nobody holds it
    EXPECT_EQ(of(kPayments).in_the_way_silent, 0s);
}

TEST_F(HoldAgesTest, OfHoldersThatShareALockEachIsInTheWay) {
    grant(1, "payments/a");
    clock.advance(1min);
    grant(2, "payments/a");
    refuse("payments/a");

    notice(Kind::Ended, 1, {"payments/a"});
    clock.advance(1min);

    EXPECT_EQ(of(kPayments).in_the_way_silent, 1min);
}

TEST_F(HoldAgesTest, WhatEndsLeavesNothingBehind) {
    for (std::int64_t token = 1; token <= 1'000; ++token) {
        grant(token, "payments/a");
        refuse("payments/a");
        notice(Kind::Ended, token, {"payments/a"});
        clock.advance(1s);
    }

    EXPECT_EQ(of(kPayments).oldest, 0s);
    EXPECT_EQ(of(kPayments).in_the_way_held, 0s);
}

}  // namespace
}  // namespace fencegate::proxy
