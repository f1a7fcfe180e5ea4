#include "lockmgr/lock_name.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

TEST(LockName, TakesEveryByteOfItsAlphabet) {
    const std::string text = "AZaz09._~:-/payments/pay_42";

    const auto name = LockName::parse(text);

    ASSERT_TRUE(name);
    EXPECT_EQ(name->value(), text);
    EXPECT_EQ(name->first_segment(), "AZaz09._~:-");
}

struct BadName {
    const char* why;
    std::string text;
};

class RefusedLockName : public testing::TestWithParam<BadName> {};

TEST_P(RefusedLockName, IsRefused) {
    const auto name = LockName::parse(GetParam().text);

    ASSERT_FALSE(name);
    EXPECT_EQ(name.error().code, ErrorCode::InvalidLockName);
}

INSTANTIATE_TEST_SUITE_P(
    Grammar, RefusedLockName,
    testing::Values(BadName{"Empty", ""}, BadName{"LeadingSlash", "/a"},
                    BadName{"TrailingSlash", "a/"}, BadName{"DoubleSlash", "a//b"},
                    BadName{"Dot", "a/./b"}, BadName{"DotDot", "a/../b"},
                    BadName{"OnlyDotDot", ".."}, BadName{"Blank", "a b"},
                    BadName{"Percent", "a%2Fb"}, BadName{"Backslash", "a\\b"},
                    BadName{"Nul", std::string("a\0b", 3)}, BadName{"Utf8", "caf\xc3\xa9"},
                    BadName{"SegmentOf65", std::string(65, 'a')},
                    BadName{"NameOf129", std::string(64, 'a') + "/" + std::string(64, 'b')}),
    [](const auto& row) { return row.param.why; });

TEST(LockName, TakesTheLongestSegmentAndTheLongestName) {
    EXPECT_TRUE(LockName::parse(std::string(64, 'a')));
    EXPECT_TRUE(LockName::parse(std::string(64, 'a') + "/" + std::string(63, 'b')));
}

TEST(LockName, IsComparedByteByByte) {
    EXPECT_NE(*LockName::parse("Pay"), *LockName::parse("pay"));
    EXPECT_NE(*LockName::parse("pay/1"), *LockName::parse("pay"));
}

}  // namespace
}  // namespace fencegate::lockmgr
