#include "bench/histogram.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace fencegate::bench {
namespace {

TEST(Histogram, IsZeroWhenEmpty) {
    const Histogram histogram;

    EXPECT_EQ(histogram.count(), 0u);
    EXPECT_EQ(histogram.percentile(0.99), 0);
    EXPECT_EQ(histogram.max(), 0);
    EXPECT_EQ(histogram.mean(), 0);
}

TEST(Histogram, SmallValuesAreExact) {
    Histogram histogram;

    for (std::int64_t value = 1; value <= 100; ++value) histogram.record(value);

    EXPECT_EQ(histogram.percentile(0), 1);
    EXPECT_EQ(histogram.percentile(0.5), 50);
    EXPECT_EQ(histogram.percentile(0.99), 99);
    EXPECT_EQ(histogram.percentile(1), 100);
    EXPECT_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, PercentileIsNeverBelowAndAtMostOneSixtyFourthAbove) {
    for (std::int64_t value = 1; value < std::int64_t{1} << 61; value += value / 4 + 1) {
        Histogram histogram;
        histogram.record(value);
        histogram.record(std::numeric_limits<std::int64_t>::max());  // or max() would clamp

        const auto shown = histogram.percentile(0.5);

        EXPECT_GE(shown, value);
        EXPECT_LE(shown, value + value / 64);
    }
}

TEST(Histogram, BucketBoundariesAreContiguous) {
    for (int power = 6; power < 62; ++power) {
        const auto boundary = std::int64_t{1} << power;
        Histogram below;
        Histogram at;
        below.record(boundary - 1);
        below.record(std::numeric_limits<std::int64_t>::max());
        at.record(boundary);
        at.record(std::numeric_limits<std::int64_t>::max());

        EXPECT_EQ(below.percentile(0.5), boundary - 1);
        EXPECT_GE(at.percentile(0.5), boundary);
    }
}

TEST(Histogram, PercentileNeverExceedsTheLargestValue) {
    Histogram histogram;

    histogram.record(1'000'001);

    EXPECT_EQ(histogram.percentile(0.5), 1'000'001);
    EXPECT_EQ(histogram.max(), 1'000'001);
}

TEST(Histogram, TakesTheLargestValueAndCountsNegativesAsZero) {
    Histogram histogram;

    histogram.record(-5);
    histogram.record(std::numeric_limits<std::int64_t>::max());

    EXPECT_EQ(histogram.percentile(0.5), 0);
    EXPECT_EQ(histogram.percentile(1), std::numeric_limits<std::int64_t>::max());
}

TEST(Histogram, TailOfOneInAThousandShowsOnlyAboveItsShare) {
    Histogram histogram;

    for (int i = 0; i < 999; ++i) histogram.record(10);
    histogram.record(100);

    EXPECT_EQ(histogram.percentile(0.999), 10);
    EXPECT_EQ(histogram.percentile(0.9995), 100);
}

TEST(Histogram, MergeEqualsRecordingInOne) {
    Histogram first;
    Histogram second;
    Histogram both;
    for (std::int64_t value = 1; value < 1'000'000; value += value / 2 + 1) {
        (value % 2 == 0 ? first : second).record(value);
        both.record(value);
    }

    first.merge(second);

    EXPECT_EQ(first.count(), both.count());
    EXPECT_EQ(first.max(), both.max());
    EXPECT_DOUBLE_EQ(first.mean(), both.mean());
    for (const double fraction : {0.1, 0.5, 0.9, 0.99}) {
        EXPECT_EQ(first.percentile(fraction), both.percentile(fraction));
    }
}

}  // namespace
}  // namespace fencegate::bench
