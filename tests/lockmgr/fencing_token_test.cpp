#include "lockmgr/fencing_token.hpp"

#include "lockmgr/lease.hpp"
#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

namespace fencegate::lockmgr {
namespace {

TEST(FencingToken, HasExactlyOneSpelling) {
    EXPECT_EQ(FencingToken::parse("34"), FencingToken(34));
    EXPECT_EQ(FencingToken::parse("9007199254740991"), FencingToken(kTokenMax));
    for (const char* text : {"", "0", "034", "+34", "-34", " 34", "34 ", "3e1", "0x22", "34.0",
                             "9007199254740992", "99999999999999999", "\xef\xbc\x93"}) {
        EXPECT_FALSE(FencingToken::parse(text)) << "\"" << text << "\"";
    }
}

TEST(FencingToken, OfALaterEpochIsGreaterThanEveryTokenBefore) {
    EXPECT_GT(FencingToken::compose(1, 1), FencingToken::compose(0, kTokenSequenceMax));
    EXPECT_EQ(FencingToken::compose(0, 1).value(), 1);
    EXPECT_EQ(FencingToken::compose(kTokenEpochMax, kTokenSequenceMax).value(), kTokenMax);
}

TEST(FencingToken, IsMadeOfNoNumberOutOfRange) {
    EXPECT_EQ(FencingToken::from_number(1), FencingToken(1));
    EXPECT_EQ(FencingToken::from_number(kTokenMax), FencingToken(kTokenMax));
    for (const auto number : {std::int64_t{0}, std::int64_t{-1}, kTokenMax + 1})
        EXPECT_FALSE(FencingToken::from_number(number)) << number;
}

TEST(FencingTokenDeathTest, CannotBeZeroOrTooLarge) {
    EXPECT_DEATH(FencingToken(0), "invariant lost");
    EXPECT_DEATH(FencingToken(kTokenMax + 1), "invariant lost");
}

TEST(LeaseId, NamesItsToken) {
    testing::SeededRandom random(1);
    for (const auto value : {std::int64_t{1}, std::int64_t{12'345'678}, kTokenMax}) {
        const auto id = make_lease_id(WallTime(std::chrono::milliseconds(1'700'000'000'000)),
                                      FencingToken(value), random);

        EXPECT_EQ(token_of_lease_id(id), FencingToken(value));
        EXPECT_EQ(id.bytes[6] >> 4, 7);
        EXPECT_EQ(id.bytes[8] >> 6, 2);
    }
}

TEST(LeaseId, ThatNobodyMadeNamesNoToken) { EXPECT_FALSE(token_of_lease_id(Uuid{})); }

}  // namespace
}  // namespace fencegate::lockmgr
