// A log that has begun anew is written over the one before, and what that one had more stands
// behind it still: frames that check among themselves and are older than the store. No bit that is
// flipped in the live part may bring one of them back, and none may cost anything untold.
#include "storage/copies/salvage.hpp"
#include "storage/sqlite/log_survey.hpp"
#include "tests/support/fresh_seed.hpp"
#include "tests/support/store_harness.hpp"
#include "tests/support/stored_pages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using namespace storage::sqlite;

// How many payments each pass of the log holds. The last one is the live one.
struct Passes {
    const char* name;
    std::vector<int> payments;
};

class SalvageAnew : public ::testing::TestWithParam<Passes> {
protected:
    SalvageAnew() {
        int number = 0;
        for (const int payments : GetParam().payments) {
            if (number > 0) harness.connection->checkpoint(/*truncate=*/false);
            for (int more = 0; more < payments; ++more) pay("pay_" + std::to_string(number++));
        }
        harness.store.reset();
        const auto survey = survey_log(file());
        EXPECT_TRUE(survey && !survey->damage);
        live = survey->frames;
        whole = contents_of_store(file());
    }
    // A refund each: money that leaves.
    void pay(const std::string& id) {
        harness.create(id, 500);
        const auto grant = harness.acquire("payments/" + id);
        EXPECT_FALSE(harness.refund(id, grant->fencing_token, {.key = "refund-" + id}).error);
    }
    [[nodiscard]] fs::path file() const { return harness.folder() / "store.db"; }
    [[nodiscard]] std::size_t log_end() const {
        return static_cast<std::size_t>(frame_offset(live + 1, 4'096));
    }
    static std::string contents_of_store(const fs::path& file) {
        const auto opened = Connection::open_to_read(file);
        if (!opened) return {};
        Statement look(**opened,
                       "SELECT (SELECT group_concat(id || ':' || hex(seal)) FROM transfers) || "
                       "(SELECT count(*) FROM answers) || ',' || (SELECT count(*) FROM leases)");
        auto row = look.query();
        return row.next() ? std::string(row.text(0)) : std::string();
    }
    // Empty, or what is wrong with the salvage.
    std::string fault_of_salvage() {
        const TempDir elsewhere;
        const auto salvaged =
            storage::salvage_store({.data_dir = harness.folder(), .to = elsewhere / "new"});
        if (!salvaged) return salvaged.error().detail;
        const bool is_same = contents_of_store(elsewhere / "new" / "store.db") == whole;
        healed = salvaged->healed;
        if (salvaged->is_whole() && !is_same) return "lost something untold";
        if (!salvaged->report.is_sound()) return "is not sound";
        if (salvaged->commits_lost > 0) return "told a loss";
        if (!salvaged->unknown.empty()) return "told a doubt";
        if (!salvaged->is_whole()) return "told nothing";
        const auto frames = salvaged->frames + salvaged->dropped;
        return frames == live ? "" : std::to_string(frames) + " frames";
    }
    std::string fault_with_flip(std::size_t at, unsigned bit) {
        flip_bit_at(log_of(file()), at, bit);
        auto fault = fault_of_salvage();
        flip_bit_at(log_of(file()), at, bit);
        return fault;
    }

    StoreHarness harness;
    std::int64_t live = 0;    // frames
    std::int64_t healed = 0;  // by the last salvage
    std::string whole;
};

TEST_P(SalvageAnew, OfASoundLogIsThatLogAlone) {
    EXPECT_EQ(fault_of_salvage(), "");
    EXPECT_EQ(healed, 0);
}

TEST_P(SalvageAnew, HealsABitInEachPartOfAFrame) {
    for (const std::int64_t frame : {std::int64_t{1}, live}) {
        // Number of the page, commit mark, both salts, both checksums, page.
        for (const std::size_t part : {1, 5, 9, 13, 18, 22, 600}) {
            const auto at = static_cast<std::size_t>(frame_offset(frame, 4'096)) + part;
            EXPECT_EQ(fault_with_flip(at, 2), "") << "frame " << frame << ", byte " << part;
            EXPECT_EQ(healed, 1) << "frame " << frame << ", byte " << part;
        }
    }
}

TEST_P(SalvageAnew, HealsABitInEachPartOfTheHeader) {
    // Magic, version, page size, sequence, both salts, both checksums.
    for (const std::size_t at : {1, 6, 10, 15, 19, 23, 26, 31})
        EXPECT_EQ(fault_with_flip(at, 1), "") << "byte " << at;
}

// Where more than one place fits the checksum, nothing is healed.
TEST_P(SalvageAnew, HealsABitAnywhereInTheLivePartOrTellsWhatIsLost) {
    const auto seed = fresh_seed("FENCEGATE_FLIP_SEED");
    SCOPED_TRACE("FENCEGATE_FLIP_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    constexpr int kFlips = 8;
    int whole_ones = 0;
    for (int flip = 0; flip < kFlips; ++flip) {
        const auto at = random.below(log_end());
        const auto bit = static_cast<unsigned>(random.below(8));
        const auto fault = fault_with_flip(at, bit);
        EXPECT_THAT(fault, ::testing::AnyOf("", "told a loss", "told a doubt"))
            << "byte " << at << ", bit " << bit;
        whole_ones += fault.empty() ? 1 : 0;
    }
    EXPECT_GE(whole_ones, kFlips / 3);
}

// A lost write: in the place of a live frame stands what was there before.
TEST_P(SalvageAnew, TellsALossWhereAnOldFrameStandsAmongLiveOnes) {
    const auto at = static_cast<std::size_t>(frame_offset(live / 2 + 1, 4'096));
    std::fstream log(log_of(file()), std::ios::binary | std::ios::in | std::ios::out);
    log.seekp(static_cast<std::streamoff>(at));
    log << std::string(4'120, 'x');
    log.close();
    const TempDir elsewhere;

    const auto salvaged =
        storage::salvage_store({.data_dir = harness.folder(), .to = elsewhere / "new"});

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_FALSE(salvaged->is_whole());
    EXPECT_GT(salvaged->commits_lost, 0);
    EXPECT_TRUE(salvaged->report.is_sound());
}

INSTANTIATE_TEST_SUITE_P(Passes, SalvageAnew,
                         ::testing::Values(Passes{"ShorterThanTheOldRest", {12, 2}},
                                           Passes{"LongerThanTheOldRest", {1, 5}},
                                           Passes{"OverTwoOldRests", {12, 6, 2}},
                                           Passes{"TheFirst", {4}}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace fencegate::testing
