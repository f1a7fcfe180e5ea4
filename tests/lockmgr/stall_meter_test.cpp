// What counts as a stall, and how much of it is given back.
#include "lockmgr/stall_meter.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

using std::chrono::milliseconds;

BootTime at(std::int64_t ms) { return BootTime(milliseconds(ms)); }

TEST(StallMeter, GivesNothingBackOfOrdinaryService) {
    StallMeter meter(at(0));

    for (std::int64_t now = 200; now < 10'000; now += 200)
        EXPECT_EQ(meter.look(at(now)).count(), 0) << now;
}

TEST(StallMeter, GivesAnIsolatedStallBackInFull) {
    StallMeter meter(at(0));
    static_cast<void>(meter.look(at(100)));

    EXPECT_EQ(meter.look(at(4'100)), milliseconds(4'000));
}

TEST(StallMeter, KeepsALittleOfStallsThatFollowEachOther) {
    StallMeter meter(at(0));
    static_cast<void>(meter.look(at(1'500)));

    EXPECT_EQ(meter.look(at(1'550)), milliseconds(0));
    EXPECT_EQ(meter.look(at(3'050)), milliseconds(1'350)) << "50 ms of 200 were served";
    EXPECT_EQ(meter.look(at(4'550)), milliseconds(1'300));
}

TEST(StallMeter, OwesNothingOnceTheStoreHasServedAgain) {
    StallMeter meter(at(0));
    static_cast<void>(meter.look(at(1'500)));
    static_cast<void>(meter.look(at(1'600)));
    static_cast<void>(meter.look(at(1'700)));

    EXPECT_EQ(meter.look(at(2'700)), milliseconds(1'000));
}

// However slow every commit is: of any stretch of time, what counts does not shrink to nothing.
TEST(StallMeter, LetsTimePassInAStoreThatOnlyStalls) {
    StallMeter meter(at(0));

    milliseconds given_back{0};
    for (std::int64_t batch = 1; batch <= 100; ++batch)
        given_back += std::chrono::duration_cast<milliseconds>(meter.look(at(batch * 1'500)));

    EXPECT_EQ(milliseconds(150'000) - given_back, milliseconds(99 * 200));
}

TEST(StallMeter, TakesNoTimeBackFromAClockThatStandsStill) {
    StallMeter meter(at(1'000));

    EXPECT_EQ(meter.look(at(1'000)).count(), 0);
    EXPECT_EQ(meter.look(at(900)).count(), 0);
}

}  // namespace
}  // namespace fencegate::lockmgr
