// A bit is healed only where no other place would fit the checksum as well.
#include "storage/sqlite/log_healing.hpp"

#include "storage/sqlite/page_seal.hpp"
#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fencegate::testing {
namespace {

using namespace storage::sqlite;

class LogHealing : public ::testing::Test {
protected:
    LogHealing() {
        SeededRandom random(7);
        for (auto& byte : page) byte = static_cast<std::uint8_t>(random.below(256));
        FrameHeader of{.page = 3, .pages_if_commit = 9, .salts = {5, 6}};
        of.checksum = frame_checksum(false, before, make_frame_header(of), page);
        const auto made = make_frame_header(of);
        header.assign(made.begin(), made.end());
    }
    LogChecksum before{11, 12};
    std::vector<std::uint8_t> page = std::vector<std::uint8_t>(4'096);
    std::vector<std::uint8_t> header;
};

TEST_F(LogHealing, MakesAFrameWhatItWasOrNothing) {
    const auto was = page;
    int healed = 0;
    constexpr std::size_t kStep = 1'021;
    int tried = 0;
    for (std::size_t bit = 0; bit < 8 * page.size(); bit += kStep, ++tried) {
        page[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const auto image = whole_frame(before, header, page);
        page[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        if (!image) continue;
        EXPECT_TRUE(std::equal(was.begin(), was.end() - kSealBytes, image->page.begin()))
            << "bit " << bit;
        ++healed;
    }
    EXPECT_GT(healed, tried / 2);
    EXPECT_LT(healed, tried) << "nothing here has two places that fit";
}

TEST_F(LogHealing, MakesEachBitOfAHeaderWhatItWas) {
    const auto log = make_log_header(4'096, 4, {5, 6});
    FrameHeader of{.page = 1, .pages_if_commit = 9, .salts = {5, 6}};
    of.checksum =
        frame_checksum(false, parse_log_header(log)->checksum, make_frame_header(of), page);
    const auto made = make_frame_header(of);
    std::vector<std::uint8_t> first(made.begin(), made.end());
    first.insert(first.end(), page.begin(), page.end());

    for (std::size_t bit = 0; bit < 8 * log.size(); ++bit) {
        auto flipped = log;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const auto whole = whole_header(flipped, first);
        ASSERT_TRUE(whole) << "bit " << bit;
        EXPECT_EQ(whole->salts, (LogSalts{5, 6})) << "bit " << bit;
        EXPECT_EQ(whole->checksum, parse_log_header(log)->checksum) << "bit " << bit;
    }
}

}  // namespace
}  // namespace fencegate::testing
