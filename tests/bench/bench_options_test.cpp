#include "bench/bench_options.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fencegate::bench {
namespace {

TEST(BenchOptions, TakeExistingPayments) {
    const std::vector<const char*> arguments{"--ca",       "ca.pem",     "--key",   "k",
                                             "--existing", "--payments", "10000000"};

    const auto options = parse_options(arguments);

    ASSERT_TRUE(options.has_value()) << options.error();
    EXPECT_TRUE(options->existing);
    EXPECT_EQ(options->payments, 10'000'000u);
}

TEST(BenchOptions, CreatePaymentsUnlessToldOtherwise) {
    const std::vector<const char*> arguments{"--ca", "ca.pem", "--key", "k"};

    const auto options = parse_options(arguments);

    ASSERT_TRUE(options.has_value()) << options.error();
    EXPECT_FALSE(options->existing);
}

TEST(BenchOptions, TakeTwoOrThreeCallsACycle) {
    const auto with = [](const char* calls) {
        const std::vector<const char*> arguments{"--ca", "ca.pem", "--key", "k", "--calls", calls};
        return parse_options(arguments);
    };

    EXPECT_EQ(BenchOptions().calls, 3u);
    ASSERT_TRUE(with("2").has_value());
    EXPECT_EQ(with("2")->calls, 2u);
    EXPECT_EQ(with("3")->calls, 3u);
    for (const char* calls : {"1", "4", "two"}) EXPECT_FALSE(with(calls).has_value()) << calls;
}

}  // namespace
}  // namespace fencegate::bench
