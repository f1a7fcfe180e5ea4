// What stands behind a damaged frame is read on, and what could not be is told.
#include "storage/copies/salvage.hpp"

#include "storage/copies/restore.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/log_survey.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using namespace storage::sqlite;

constexpr int kPayments = 12;

class Salvage : public ::testing::Test {
protected:
    Salvage() {
        for (int number = 0; number < kPayments; ++number)
            harness.create("pay_" + std::to_string(number), 500);
        harness.store.reset();
        EXPECT_TRUE(walk_log(log_of(file()), [&](const SeenFrame& frame) {
            newest[frame.header.page] = frame.number;
            page_of[frame.number] = frame.header.page;
        }));
    }
    [[nodiscard]] fs::path file() const { return harness.folder() / "store.db"; }
    // `bytes` of the page of a frame, whatever was there.
    void damage(std::int64_t frame, int bytes) const {
        std::fstream log(log_of(file()), std::ios::binary | std::ios::in | std::ios::out);
        for (int byte = 0; byte < bytes; ++byte) {
            const auto at = frame_offset(frame, 4'096) + 24 + 700 + byte;
            log.seekg(at);
            const auto changed = static_cast<char>(log.get() ^ (bytes == 1 ? 0x10 : 0x5a));
            log.seekp(at);
            log.put(changed);
        }
    }
    Result<storage::Salvaged> salvage() {
        return storage::salvage_store({.data_dir = harness.folder(), .to = elsewhere / "new"});
    }
    [[nodiscard]] int payments() const {
        const auto opened = Connection::open_to_read(elsewhere / "new" / "store.db");
        Statement count(**opened, "SELECT count(*) FROM payments");
        auto row = count.query();
        return row.next() ? static_cast<int>(row.integer(0)) : -1;
    }

    StoreHarness harness;
    TempDir elsewhere;
    std::map<std::uint32_t, std::int64_t> newest;  // frame by page
    std::map<std::int64_t, std::uint32_t> page_of;
};

TEST_F(Salvage, HealsAFlippedBitInAnyPlaceAndLosesNothing) {
    damage(3, 1);
    damage(newest.rbegin()->second, 1);

    const auto salvaged = salvage();

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_EQ(salvaged->healed, newest.rbegin()->second == 3 ? 1 : 2);
    EXPECT_TRUE(salvaged->is_whole());
    EXPECT_EQ(payments(), kPayments);
}

TEST_F(Salvage, ReadsOnBehindADamagedPageThatWasWrittenAgain) {
    const auto overwritten = std::ranges::find_if(
        page_of, [&](const auto& frame) { return newest.at(frame.second) != frame.first; });
    ASSERT_NE(overwritten, page_of.end());
    damage(overwritten->first, 40);

    const auto salvaged = salvage();

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_EQ(salvaged->dropped, 1);
    EXPECT_EQ(salvaged->commits_lost, 0);
    EXPECT_EQ(payments(), kPayments);
    // Only the damaged frame says which page that is.
    EXPECT_FALSE(salvaged->is_whole());
    EXPECT_NE(salvaged->unknown, "");
}

TEST_F(Salvage, NamesThePageThatCannotBeHadAndCountsTheCommitsBehindIt) {
    const auto last = page_of.rbegin()->first;
    damage(last, 40);

    const auto salvaged = salvage();

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_FALSE(salvaged->is_whole());
    EXPECT_GT(salvaged->commits_lost, 0);
    EXPECT_TRUE(salvaged->report.is_sound());
    EXPECT_LT(payments(), kPayments);
    EXPECT_GE(payments(), kPayments - 2);
}

TEST_F(Salvage, TheNewStoreServesOnceItsEpochIsRaised) {
    damage(3, 1);
    ASSERT_TRUE(salvage());
    const auto folder = elsewhere / "new";

    EXPECT_FALSE(open_database(folder));
    const auto restored = storage::restore_store({.data_dir = folder}, WallTime{});

    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_EQ(restored->generations_behind, 0) << "nothing was lost";
    EXPECT_TRUE(open_database(folder));
}

// The store and its log were put back together, so the log is sound; the marks know better.
TEST_F(Salvage, TellsHowFarTheStoreIsBehindItsMarks) {
    fs::copy(harness.folder(), elsewhere / "old", fs::copy_options::recursive);
    harness.reopen();
    for (const char* id : {"later_1", "later_2", "later_3"}) {
        harness.clock.advance(Duration(300));  // a mark each
        harness.create(id, 500);
    }
    harness.store.reset();
    const auto reached = read_mark(harness.folder()).generation;
    for (const char* name : {"store.db", "store.db-wal", "store.db-tail"})
        fs::copy_file(elsewhere / "old" / name, harness.folder() / name,
                      fs::copy_options::overwrite_existing);

    const auto salvaged = salvage();

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_EQ(salvaged->generations_behind, reached - read_mark(elsewhere / "old").generation);
    EXPECT_FALSE(salvaged->is_whole());
    EXPECT_TRUE(salvaged->report.is_sound());
    const auto restored = storage::restore_store({.data_dir = elsewhere / "new"}, WallTime{});
    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_EQ(restored->generations_behind, salvaged->generations_behind);
}

TEST_F(Salvage, ReadsTheCopyThatARestoreKeptWhileTheRestoredStoreIsServed) {
    damage(3, 1);
    const auto restored = storage::restore_store({.data_dir = harness.folder()}, WallTime{});
    ASSERT_TRUE(restored) << restored.error().detail;
    ASSERT_NE(restored->lost, "");
    harness.reopen();

    const auto salvaged =
        storage::salvage_store({.data_dir = {}, .to = elsewhere / "new", .from = restored->kept});

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_TRUE(salvaged->is_whole());
    EXPECT_EQ(payments(), kPayments);
    const auto again = storage::restore_store({.data_dir = elsewhere / "new"}, WallTime{});
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_GT(again->epoch, restored->epoch) << "tokens of the restored store would be good in it";
}

TEST_F(Salvage, OfACopyThatWasKeptWithoutItsNoteIsNotCalledWhole) {
    for (const bool is_garbled : {false, true}) {
        SCOPED_TRACE(is_garbled);
        const auto note = tail_note_of(file());
        is_garbled ? fs::resize_file(note, 10) : static_cast<void>(fs::remove(note));
        const auto restored = storage::restore_store({.data_dir = harness.folder()}, WallTime{});
        ASSERT_TRUE(restored) << restored.error().detail;
        ASSERT_NE(restored->unknown, "");

        const auto salvaged = storage::salvage_store(
            {.data_dir = {}, .to = elsewhere / "new", .from = restored->kept});

        ASSERT_TRUE(salvaged) << salvaged.error().detail;
        EXPECT_FALSE(salvaged->is_whole());
        fs::remove_all(elsewhere / "new");
    }
}

// What can be had of the log would put older pages over those that were copied from it.
TEST_F(Salvage, TakesNothingOfALogThatWasCopiedAndThenCut) {
    harness.reopen();
    for (const char* id : {"later_1", "later_2", "later_3"}) harness.create(id, 500);
    harness.connection->checkpoint(/*truncate=*/false);
    harness.store.reset();
    fs::resize_file(log_of(file()), fs::file_size(log_of(file())) / 2);

    const auto salvaged = salvage();

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_TRUE(salvaged->is_whole());
    EXPECT_EQ(salvaged->frames, 0);
    EXPECT_EQ(payments(), kPayments + 3);
}

TEST_F(Salvage, WillNotWriteOverWhatIsThere) {
    fs::create_directory(elsewhere / "new");

    EXPECT_FALSE(salvage());
    EXPECT_TRUE(fs::is_empty(elsewhere / "new"));
}

}  // namespace
}  // namespace fencegate::testing
