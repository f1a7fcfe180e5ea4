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

}  // namespace
}  // namespace fencegate::bench
