#include "base/hex.hpp"

#include <gtest/gtest.h>

namespace fencegate {
namespace {

TEST(Hex, OfEveryByteIsReadBack) {
    for (unsigned value = 0; value < 256; ++value) {
        const std::array bytes{static_cast<std::uint8_t>(value), std::uint8_t{0x0a}};
        const auto text = to_hex(bytes);

        EXPECT_EQ(parse_hex<2>(text), bytes) << text;
        EXPECT_TRUE(text.ends_with("0a")) << text;
    }
}

TEST(Hex, HasOneSpelling) {
    EXPECT_EQ(parse_hex<2>("00ff"), (std::array<std::uint8_t, 2>{0, 255}));
    for (const auto* text : {"", "00f", "00fff", "00FF", "00fg", "0x00", " 0ff", "00f\n"})
        EXPECT_EQ(parse_hex<2>(text), std::nullopt) << text;
}

TEST(Hex, OfOthersMayBeOfEitherCase) {
    EXPECT_EQ(hex_byte("aF"), 0xaf);
    EXPECT_EQ(hex_byte("09"), 0x09);
    for (const auto* text : {"", "a", "aff", "g0", "0G", "/0", ":0", "@0", "`0", "+1", " 1"})
        EXPECT_EQ(hex_byte(text), std::nullopt) << text;
}

TEST(Hex, IsUpperCaseBehindAPercent) {
    std::string text;
    append_percent_escape(text, '/');
    append_percent_escape(text, '\xc3');

    EXPECT_EQ(text, "%2F%C3");
}

}  // namespace
}  // namespace fencegate
