// Times as text: what RFC 3339 allows, and nothing else.
#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace fencegate {
namespace {

std::string again(std::string_view text) {
    const auto time = parse_rfc3339(text);
    return time ? rfc3339(*time).text : "nothing";
}

TEST(Rfc3339, IsReadWithAnyOffsetAndFraction) {
    EXPECT_EQ(again("2026-11-23T09:30:00Z"), "2026-11-23T09:30:00.000Z");
    EXPECT_EQ(again("2026-11-23t09:30:00.5z"), "2026-11-23T09:30:00.500Z");
    EXPECT_EQ(again("2026-11-23T09:30:00.123+02:00"), "2026-11-23T07:30:00.123Z");
    EXPECT_EQ(again("2026-11-23T23:30:00-05:30"), "2026-11-24T05:00:00.000Z");
    EXPECT_EQ(again("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
}

TEST(Rfc3339, AFractionOfAMillisecondIsRoundedUp) {
    EXPECT_EQ(again("2026-11-23T09:30:00.1230001Z"), "2026-11-23T09:30:00.124Z");
    EXPECT_EQ(again("2026-11-23T09:30:00.1230000Z"), "2026-11-23T09:30:00.123Z");
    EXPECT_EQ(again("2026-11-23T09:30:00.9999Z"), "2026-11-23T09:30:01.000Z");
}

TEST(Rfc3339, WhatIsNoTimeIsNotRead) {
    for (const auto* text :
         {"", "2026", "2026-11-23", "2026-11-23T09:30:00", "2026-11-23T09:30Z",
          "2026-11-23 09:30:00Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
          "2026-11-23T24:00:00Z", "2026-11-23T09:60:00Z", "2026-11-23T09:30:00.Z",
          "2026-11-23T09:30:00+0200", "2026-11-23T09:30:00+24:00", "2026-11-23T09:30:00Zz",
          "-026-11-23T09:30:00Z", "2026-11-23T09:30:00.1234567890Z", "1763890200"}) {
        EXPECT_EQ(again(text), "nothing") << text;
    }
}

}  // namespace
}  // namespace fencegate
