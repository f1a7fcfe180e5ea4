#include "lockmgr/ttl_advice.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fencegate::lockmgr {
namespace {

using namespace std::chrono_literals;

struct Case {
    std::string name;
    TtlFigures figures;
    TtlVerdict verdict;
    std::optional<Duration> suggested;
    std::string sentence;
};

TtlFigures figures(Duration ttl, Duration needed_p99, Duration needed_max,
                   std::uint64_t leases = 1'000) {
    TtlFigures made;
    made.leases = leases;
    made.ttl = ttl;
    made.needed = {.count = leases, .p50 = needed_p99 / 2, .p99 = needed_p99, .max = needed_max};
    return made;
}

TtlFigures with_expiries(TtlFigures made, std::uint64_t expired) {
    made.expired = expired;
    return made;
}

TtlFigures with_renewals(TtlFigures made) {
    made.renewals = 500;
    return made;
}

LockClass settings() { return {.name = "payments"}; }

class Advice : public ::testing::TestWithParam<Case> {};

TEST_P(Advice, SaysWhatToDoAndWhy) {
    const auto& [name, figures, verdict, suggested, sentence] = GetParam();

    const auto advice = advise_ttl(figures, settings());

    EXPECT_EQ(advice.verdict, verdict);
    EXPECT_EQ(advice.suggested, suggested);
    EXPECT_EQ(advice.sentence, sentence);
}

INSTANTIATE_TEST_SUITE_P(
    Ttl, Advice,
    ::testing::Values(
        Case{"TooFewLeases", figures(30s, 41s, 41s, 99), TtlVerdict::TooFewLeases, std::nullopt,
             "99 leases ended in the window: too few to tell. Ask again after 100."},
        Case{"HoldersNeedMore", figures(30s, 41s, 44s), TtlVerdict::Raise, 60s,
             "p99 hold 41 s, TTL 30 s: raise to 60 s."},
        Case{"HoldersNeedNearlyAll", figures(30s, 22s, 29s), TtlVerdict::Raise, 45s,
             "p99 hold 22 s, TTL 30 s: raise to 45 s."},
        Case{"SeventyPercentIsFine", figures(30s, 21s, 29s), TtlVerdict::Fine, std::nullopt,
             "p99 hold 21 s, TTL 30 s: fine."},
        Case{"RenewalsComeLate", with_renewals(figures(10s, 8500ms, 9900ms)), TtlVerdict::Raise,
             15s, "p99 8.5 s until renewal or release, TTL 10 s: raise to 15 s, or renew sooner."},
        Case{"BeyondWhatTheClassAllows", figures(30min, 50min, 50min), TtlVerdict::Raise, 1h,
             "p99 hold 50 min, TTL 30 min: raise to 60 min."},
        Case{"HoldersVanish", with_expiries(figures(30s, 12s, 20s), 123), TtlVerdict::HoldersVanish,
             std::nullopt,
             "12 % of the leases expired (p99 hold 12 s, TTL 30 s): their holders vanish or do not "
             "release, and a longer TTL would not help."},
        Case{"OnePercentMayExpire", with_expiries(figures(30s, 12s, 20s), 10), TtlVerdict::Fine,
             std::nullopt, "p99 hold 12 s, TTL 30 s: fine."},
        Case{"NeedComesBeforeExpiry", with_expiries(figures(30s, 41s, 44s), 123), TtlVerdict::Raise,
             60s, "p99 hold 41 s, TTL 30 s: raise to 60 s."},
        Case{"FarTooLong", figures(5min, 900ms, 4s), TtlVerdict::Lower, 7500ms,
             "p99 hold 900 ms, TTL 5 min: 7.5 s would do. When a holder crashes, who waits waits "
             "for "
             "the TTL."},
        Case{
            "NotBelowASecond", figures(30s, 5ms, 20ms), TtlVerdict::Lower, 1s,
            "p99 hold 5 ms, TTL 30 s: 1 s would do. When a holder crashes, who waits waits for the "
            "TTL."},
        Case{"TwiceTooLongIsNotWorthAChange", figures(30s, 5s, 9s), TtlVerdict::Fine, std::nullopt,
             "p99 hold 5 s, TTL 30 s: fine."}),
    [](const auto& tested) { return tested.param.name; });

TEST(AdviceAtTheLimit, SaysWhenTheClassAllowsTooLittle) {
    auto klass = settings();
    klass.ttl_max = 30s;

    const auto advice = advise_ttl(figures(20s, 41s, 41s), klass);

    EXPECT_EQ(advice.suggested, 30s);
    EXPECT_EQ(advice.sentence,
              "p99 hold 41 s, TTL 20 s: raise to 30 s; ttl_max 30 s is short of it, so renew while "
              "you work.");
    const auto at_it = advise_ttl(figures(30s, 41s, 41s), klass);
    EXPECT_EQ(at_it.suggested, std::nullopt);
    EXPECT_EQ(at_it.sentence,
              "p99 hold 41 s, TTL 30 s: ttl_max 30 s is short of it, so renew while you work.");
}

TEST(AdviceAtTheLimit, DoesNotGoBelowTheClass) {
    auto klass = settings();
    klass.ttl_min = 10s;

    EXPECT_EQ(advise_ttl(figures(5min, 5ms, 5ms), klass).suggested, 10s);
}

TEST(AdviceWithoutARelease, DoesNotClaimThatALongerTtlWouldNotHelp) {
    TtlFigures made;
    made.leases = made.expired = 200;
    made.ttl = 30s;

    const auto advice = advise_ttl(made, settings());

    EXPECT_EQ(advice.verdict, TtlVerdict::HoldersVanish);
    EXPECT_EQ(
        advice.sentence,
        "100 % of the leases expired and none of their holders came back: they vanish or do not "
        "release, or need far more than the TTL; how long is not known.");
}

}  // namespace
}  // namespace fencegate::lockmgr
