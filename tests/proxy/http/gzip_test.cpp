#include "proxy/http/gzip.hpp"

#include "tests/support/gunzip.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencegate::proxy {
namespace {

TEST(Gzip, ComesBackAsItWas) {
    std::string text;
    for (int line = 0; line < 20'000; ++line)
        text += "series " + std::to_string(line * line) + "\n";

    for (const std::string& original : {std::string(), std::string("a"), text}) {
        EXPECT_EQ(fencegate::testing::gunzip(gzip(original)), original);
    }
    EXPECT_LT(gzip(text).size(), text.size() / 2);
}

TEST(Gzip, TakesBytesThatDoNotShrink) {
    std::string noise;
    std::uint32_t state = 1;
    for (int byte = 0; byte < 100'000; ++byte) {
        state = state * 1'664'525 + 1'013'904'223;
        noise.push_back(static_cast<char>(state >> 24));
    }

    EXPECT_EQ(fencegate::testing::gunzip(gzip(noise)), noise);
}

}  // namespace
}  // namespace fencegate::proxy
