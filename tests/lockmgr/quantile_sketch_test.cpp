#include "lockmgr/quantile_sketch.hpp"

#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace fencegate::lockmgr {
namespace {

TEST(QuantileSketch, IsEmptyAtFirst) {
    const QuantileSketch sketch(1'000);

    EXPECT_EQ(sketch.count(), 0U);
    EXPECT_EQ(sketch.quantile(.99), 0);
    EXPECT_EQ(sketch.max(), 0);
}

TEST(QuantileSketch, IsExactBelow64) {
    QuantileSketch sketch(1'000);
    for (int value = 0; value < 64; ++value) sketch.record(value);

    EXPECT_EQ(sketch.quantile(.01), 0);
    EXPECT_EQ(sketch.quantile(.5), 31);
    EXPECT_EQ(sketch.quantile(1), 63);
}

TEST(QuantileSketch, IsAtMostAThirtySecondTooHighAndNeverTooLow) {
    fencegate::testing::SeededRandom random(7);
    QuantileSketch sketch(UINT32_MAX);
    std::vector<std::int64_t> values;
    for (int draw = 0; draw < 20'000; ++draw) {
        const auto bits = 1 + random.below(32);
        const auto value = static_cast<std::int64_t>(random.next() & ((1ULL << bits) - 1));
        values.push_back(value);
        sketch.record(value);
    }
    std::ranges::sort(values);

    for (const double fraction : {.0001, .01, .1, .5, .9, .99, .9999, 1.}) {
        const auto rank = static_cast<std::size_t>(
            std::max(1., std::ceil(fraction * static_cast<double>(values.size()))));
        const auto truth = values[rank - 1];
        EXPECT_GE(sketch.quantile(fraction), truth) << fraction;
        EXPECT_LE(sketch.quantile(fraction), truth + truth / 32) << fraction;
    }
    EXPECT_EQ(sketch.max(), values.back());
}

TEST(QuantileSketch, TakesWhatIsOutOfRangeForTheNearestThatIsNot) {
    QuantileSketch sketch(1'000);

    sketch.record(-5);
    sketch.record(5'000'000'000);

    EXPECT_EQ(sketch.quantile(.5), 0);
    EXPECT_EQ(sketch.max(), 1'000);
    EXPECT_EQ(sketch.quantile(1), 1'000);
}

TEST(QuantileSketch, AddsUp) {
    QuantileSketch all(1'000);
    QuantileSketch sum(1'000);
    QuantileSketch part(1'000);
    for (int value = 0; value < 500; ++value) {
        all.record(2 * value);
        (value % 3 == 0 ? sum : part).record(2 * value);
    }

    sum.add(part);
    sum.add(QuantileSketch(1'000));

    EXPECT_EQ(sum.count(), all.count());
    for (const double fraction : {.01, .5, .99, 1.})
        EXPECT_EQ(sum.quantile(fraction), all.quantile(fraction));
    sum.clear();
    EXPECT_EQ(sum.count(), 0U);
    EXPECT_EQ(sum.quantile(.5), 0);
}

TEST(QuantileSketch, ValuesOfOneBucketAreAlike) {
    EXPECT_TRUE(QuantileSketch::are_alike(30'000, 30'200));
    EXPECT_FALSE(QuantileSketch::are_alike(30'000, 31'000));
}

}  // namespace
}  // namespace fencegate::lockmgr
