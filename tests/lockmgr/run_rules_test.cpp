// Run rules: one spelling per instant, and when a claim is one.
#include "lockmgr/run_rules.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace fencegate::lockmgr {
namespace {

using std::chrono::milliseconds;

RunSlot slot() { return *RunSlot::parse("2026-03-01T02:00:00Z"); }

TEST(RunSlot, NamesAnInstant) {
    EXPECT_EQ(RunSlot::parse("1970-01-01T00:00:01Z")->instant(), WallTime(milliseconds(1'000)));
    EXPECT_EQ(RunSlot::parse("2024-02-29T23:59:59Z")->instant() + milliseconds(1'000),
              RunSlot::parse("2024-03-01T00:00:00Z")->instant());
}

TEST(RunSlot, HasOneSpellingForEachInstant) {
    for (const char* text : {"",
                             "2026-03-01T02:00:00",
                             "2026-03-01T02:00:00z",
                             "2026-03-01t02:00:00Z",
                             "2026-03-01 02:00:00Z",
                             "2026-03-01T02:00:00+00:00",
                             "2026-03-01T02:00:00.0Z",
                             "2026-03-01T02:00Z",
                             "2026-3-01T02:00:00Z",
                             "2026-02-29T00:00:00Z",
                             "2026-04-31T00:00:00Z",
                             "2026-00-01T00:00:00Z",
                             "2026-13-01T00:00:00Z",
                             "2026-01-00T00:00:00Z",
                             "2026-03-01T24:00:00Z",
                             "2026-03-01T23:60:00Z",
                             "2026-03-01T23:59:60Z",
                             "+026-03-01T02:00:00Z",
                             " 026-03-01T02:00:00Z",
                             "2026-03-01T02:00:00ZZ"}) {
        EXPECT_FALSE(RunSlot::parse(text)) << text;
    }
}

TEST(ClaimRule, IsNotDueBeforeItsInstantAndDueAtIt) {
    const auto early =
        decide_claim(std::nullopt, slot(), std::nullopt, slot().instant() - milliseconds(1));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::RunNotDue);
    EXPECT_EQ(early.error().retry_after_ms, 1);

    EXPECT_EQ(decide_claim(std::nullopt, slot(), std::nullopt, slot().instant()),
              ClaimDecision::Claim);
}

TEST(ClaimRule, IsMissedOnlyAfterItsGrace) {
    const Duration grace(1'000);

    EXPECT_EQ(decide_claim(std::nullopt, slot(), grace, slot().instant() + grace),
              ClaimDecision::Claim);
    EXPECT_EQ(decide_claim(std::nullopt, slot(), grace, slot().instant() + grace + Duration(1)),
              ClaimDecision::Miss);
}

TEST(ClaimRule, AGraceLongerThanTimeItselfDoesNotOverflow) {
    const Duration grace(std::numeric_limits<std::int64_t>::max());

    EXPECT_EQ(decide_claim(std::nullopt, slot(), grace, slot().instant() + Duration(1)),
              ClaimDecision::Claim);
}

TEST(ClaimRule, WhoWasClaimedInTimeMayBeClaimedAgainLate) {
    const auto late = slot().instant() + Duration(99'000);

    for (const auto state : {RunState::Claimed, RunState::Failed}) {
        EXPECT_EQ(decide_claim(state, slot(), Duration(1), late), ClaimDecision::Claim);
    }
}

TEST(ClaimRule, DoneAndMissedAreFinal) {
    const auto now = slot().instant();

    EXPECT_EQ(decide_claim(RunState::Done, slot(), {}, now).error().code, ErrorCode::RunDone);
    EXPECT_EQ(decide_claim(RunState::Missed, slot(), {}, now).error().code, ErrorCode::RunMissed);
}

}  // namespace
}  // namespace fencegate::lockmgr
