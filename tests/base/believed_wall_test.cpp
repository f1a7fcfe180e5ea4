#include "base/believed_wall.hpp"

#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

namespace fencegate {
namespace {

using namespace std::chrono_literals;
using std::chrono::hours;

constexpr hours kTenYears(24 * 3652);

// A clock, what is believed of it, and the time that it really is.
struct Believer {
    testing::ManualClock clock;
    Duration error{0};  // of the wall clock
    BelievedWall believed;

    explicit Believer(Duration error_at_start = Duration(0))
        : error(error_at_start), believed(start(clock, error_at_start)) {}

    static BelievedWall start(testing::ManualClock& clock, Duration error) {
        clock.step_wall(error);
        return {clock.boot_now(), clock.wall_now()};
    }
    void set_error(Duration now) {
        clock.step_wall(now - error);
        error = now;
    }
    // How far the time that is written down is from the true one.
    Duration look(Duration later = Duration(0)) {
        clock.advance(later);
        return believed.look(clock.boot_now(), clock.wall_now()) - (clock.wall_now() - error);
    }
};

TEST(BelievedWall, FollowsDriftWithoutAWord) {
    Believer it;
    for (int step = 1; step <= 20; ++step) {
        it.set_error(Duration(step * 400));
        EXPECT_EQ(it.look(1s), it.error);
        EXPECT_FALSE(it.believed.jump());
    }
}

TEST(BelievedWall, AClockSetAheadIsNotFollowedWhileTheBootClockDoesNotExplainIt) {
    for (const Duration ahead : {Duration(2s), Duration(1h), Duration(kTenYears)}) {
        Believer it;
        it.look(1h);
        it.set_error(ahead);

        EXPECT_EQ(it.look(), 0ms);
        ASSERT_TRUE(it.believed.jump());
        EXPECT_TRUE(it.believed.jump()->is_new);
        EXPECT_FALSE(it.believed.jump()->is_believed);
        EXPECT_EQ(it.believed.jump()->shown - it.believed.jump()->expected, ahead);
        EXPECT_EQ(it.look(30s), 0ms);
        EXPECT_FALSE(it.believed.jump());  // told once
        it.set_error(0ms);
        EXPECT_EQ(it.look(1s), 0ms);
    }
}

TEST(BelievedWall, AClockSetAheadIsFollowedWhenItStaysThere) {
    struct Case {
        Duration ahead;
        Duration stands;
    };
    for (const auto& [ahead, stands] : {Case{5s, 1min}, {5h, 5min}, {kTenYears, 1h}}) {
        Believer it;
        it.set_error(ahead);
        EXPECT_EQ(it.look(), 0ms);
        EXPECT_EQ(it.look(stands - 1s), 0ms);
        EXPECT_EQ(it.look(1s), ahead);
        ASSERT_TRUE(it.believed.jump());
        EXPECT_TRUE(it.believed.jump()->is_believed);
        EXPECT_FALSE(it.believed.jump()->is_new);
    }
}

TEST(BelievedWall, WaitsAnewForAClockThatJumpsAgain) {
    Believer it;
    it.set_error(5h);
    it.look(4min);
    it.set_error(6h);
    EXPECT_EQ(it.look(4min), 0ms);
    EXPECT_TRUE(it.believed.jump());
    EXPECT_EQ(it.look(5min), 0ms);
    EXPECT_EQ(it.look(1min), 6h);
}

TEST(BelievedWall, AClockThatWasAheadFromTheBeginningIsFollowedBackAtOnce) {
    for (const Duration ahead : {Duration(1h), Duration(kTenYears)}) {
        Believer it(ahead);
        it.look(3h);
        it.set_error(0ms);

        EXPECT_EQ(it.look(), 0ms);
        ASSERT_TRUE(it.believed.jump());
        EXPECT_TRUE(it.believed.jump()->is_believed);
        it.look(1s);
        it.set_error(kTenYears);  // once more
        EXPECT_EQ(it.look(), ahead == kTenYears ? kTenYears : 0ms) << "stood for three hours";
    }
}

TEST(BelievedWall, AClockSetBackIsFollowedForwardAgainAtOnce) {
    Believer it;
    it.look(1s);
    it.set_error(-1h);
    EXPECT_EQ(it.look(), -1h);
    it.look(20min);
    it.set_error(0ms);
    EXPECT_EQ(it.look(), 0ms);
    it.set_error(1h);
    EXPECT_EQ(it.look(), 0ms) << "but no further";
}

TEST(BelievedWall, AShortTimeAheadLeavesNoWayBackToIt) {
    Believer it(kTenYears);
    it.look(1s);
    it.set_error(0ms);
    it.look();
    it.look(1min);
    it.set_error(kTenYears);
    EXPECT_EQ(it.look(), 0ms);
}

TEST(BelievedWall, AGuessGivesWayToAnyClockThatMayBeRight) {
    testing::ManualClock clock;
    BelievedWall believed(clock.boot_now(), clock.wall_now(), BelievedWall::Basis::Guess);
    for (const Duration error : {Duration(-1h), Duration(5h)}) {
        clock.step_wall(error);
        EXPECT_EQ(believed.look(clock.boot_now(), clock.wall_now()), clock.wall_now());
    }
    clock.step_wall(1h);
    EXPECT_EQ(believed.look(clock.boot_now(), clock.wall_now()), clock.wall_now() - 1h);
}

TEST(BelievedWall, KnowsThatItIsNotBeforeThisProgram) {
    Believer slow_start(-kTenYears);
    slow_start.look(3h);
    slow_start.set_error(0ms);
    EXPECT_EQ(slow_start.look(), 0ms);

    Believer set_back;
    set_back.set_error(-kTenYears);
    EXPECT_EQ(set_back.look(), 0ms);
    EXPECT_EQ(set_back.look(5h), 0ms) << "however long it stands";
    set_back.set_error(0ms);
    EXPECT_EQ(set_back.look(), 0ms);
}

TEST(BelievedWall, TellsWhenAWallTimeWas) {
    Believer it;
    const auto then = it.clock.boot_now();
    const auto wall = it.believed.at(then);
    it.clock.advance(5s);
    EXPECT_EQ(it.believed.when(wall), then);
}

}  // namespace
}  // namespace fencegate
