// How far a lease may be renewed: the two brakes, alone and together.
#include "lockmgr/renewal.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

const LockClass kFree{.name = "free"};
const LockClass kCapped{.name = "capped", .max_hold = Duration(1'000)};
const LockClass kWatched{.name = "watched", .stalled_renewals_max = 2};

BootTime at(std::int64_t ms) { return BootTime(std::chrono::milliseconds(ms)); }

RenewalAsked asked(std::int64_t now, std::int64_t deadline, std::int64_t ttl,
                   std::optional<std::int64_t> progress = {}) {
    return {.now = at(now), .deadline = at(deadline), .ttl = Duration(ttl), .progress = progress};
}

TEST(Renewal, WithoutLimitsMovesTheDeadlineAndRemembersNothing) {
    EXPECT_FALSE(renewals_at_grant(kFree, at(5)));

    const auto decision = decide_renewal(asked(100, 150, 300, 7), std::nullopt, kFree);

    EXPECT_EQ(decision->deadline, at(400));
    EXPECT_FALSE(decision->renewals);
    EXPECT_FALSE(decision->hold_left);
    EXPECT_FALSE(decision->stalled_renewals_left);
}

TEST(Renewal, IsCutWhereMaxHoldEndsAndSaysWhatIsLeft) {
    const auto known = renewals_at_grant(kCapped, at(0));

    const auto decision = decide_renewal(asked(700, 800, 400), known, kCapped);

    EXPECT_EQ(decision->deadline, at(1'000));
    EXPECT_EQ(decision->hold_left, Duration(300));
}

TEST(Renewal, ThatReachesMaxHoldExactlyIsNotCut) {
    const auto decision =
        decide_renewal(asked(700, 800, 300), renewals_at_grant(kCapped, at(0)), kCapped);

    EXPECT_EQ(decision->deadline, at(1'000));
    EXPECT_FALSE(decision->hold_left);
}

TEST(Renewal, ThatCanGainNothingIsRefused) {
    const auto decision =
        decide_renewal(asked(700, 1'000, 400), renewals_at_grant(kCapped, at(0)), kCapped);

    ASSERT_FALSE(decision);
    EXPECT_EQ(decision.error().code, ErrorCode::MaxHoldReached);
}

TEST(Renewal, MayShortenALeaseAtItsCap) {
    const auto decision =
        decide_renewal(asked(700, 1'000, 100), renewals_at_grant(kCapped, at(0)), kCapped);

    EXPECT_EQ(decision->deadline, at(800));
}

TEST(Renewal, CountsStandstillAndStartsAgainWhenProgressRises) {
    std::optional<Renewals> known;
    const auto renew = [&](std::optional<std::int64_t> progress) {
        const auto decision = decide_renewal(asked(0, 10, 10, progress), known, kWatched);
        if (decision) known = decision->renewals;
        return decision;
    };

    EXPECT_FALSE(renew(5)->stalled_renewals_left);
    EXPECT_EQ(renew(5)->stalled_renewals_left, 1);
    EXPECT_EQ(renew(4)->stalled_renewals_left, 0);
    EXPECT_EQ(renew(std::nullopt).error().code, ErrorCode::NoProgress);
    EXPECT_EQ(known->stalled, 2) << "a refusal is not counted";
    EXPECT_FALSE(renew(6)->stalled_renewals_left);
    EXPECT_EQ(known->progress, 6);
}

TEST(Renewal, WithProgressOfZeroIsProgressOnce) {
    const auto first = decide_renewal(asked(0, 10, 10, 0), std::nullopt, kWatched);
    EXPECT_FALSE(first->stalled_renewals_left);

    EXPECT_EQ(decide_renewal(asked(0, 10, 10, 0), first->renewals, kWatched)->stalled_renewals_left,
              1);
}

TEST(Renewal, KeepsTheInstantOfTheGrantWhileItCountsProgress) {
    const LockClass both{.name = "both", .max_hold = Duration(1'000), .stalled_renewals_max = 2};

    const auto decision =
        decide_renewal(asked(900, 950, 500, 1), renewals_at_grant(both, at(0)), both);

    EXPECT_EQ(decision->renewals->held_since, at(0));
    EXPECT_EQ(decision->deadline, at(1'000));
}

}  // namespace
}  // namespace fencegate::lockmgr
