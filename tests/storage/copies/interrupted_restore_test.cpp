// A restore is killed while it changes names. What is half renamed is neither store; the next
// restore finishes it, and tells what the first one had to tell.
#include "storage/copies/ready_note.hpp"
#include "storage/copies/restore.hpp"
#include "storage/copies/salvage.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using storage::Restored;
using namespace storage::sqlite;

constexpr const char* kParts[] = {"-tail", "-wal", ""};

fs::path part(fs::path file, const char* end) { return file += end; }

void move_if_there(const fs::path& from, const fs::path& to) {
    if (fs::exists(from)) fs::rename(from, to);
}

// A store whose payments are in its log alone.
class InterruptedRestore : public ::testing::TestWithParam<int> {
protected:
    InterruptedRestore() {
        for (int number = 0; number < kPayments; ++number)
            harness.create("pay_" + std::to_string(number), 500);
        harness.store.reset();
    }

    // As if it was killed when so many names were changed: from the folder as it was before it
    // forgot that it was at work.
    Restored restore_and_kill(int names_changed) {
        Restored told;
        const auto tell = [&](const Restored& restored) {
            told = restored;
            fs::copy(folder(), killed(), fs::copy_options::recursive);
        };
        const auto done = storage::restore_store({.data_dir = folder()}, WallTime{}, tell);
        EXPECT_TRUE(done) << done.error().detail;
        const auto kept = killed() / told.kept.filename();
        const auto workshop = restoring_in(killed()) / "store.db";
        for (int at = names_changed; at < std::ssize(kParts); ++at) {
            move_if_there(part(store(), kParts[at]), part(workshop, kParts[at]));
            if (fs::exists(part(kept, kParts[at])))
                fs::copy_file(part(kept, kParts[at]), part(store(), kParts[at]));
        }
        return told;
    }

    static std::int64_t payments_in(const fs::path& file) {
        const auto opened = Connection::open_to_read(file);
        if (!opened) return -1;
        Statement look(**opened, "SELECT count(*) FROM payments");
        auto row = look.query();
        return row.next() ? row.integer(0) : -1;
    }
    [[nodiscard]] fs::path folder() const { return harness.folder(); }
    [[nodiscard]] fs::path killed() const { return other_ / "data"; }
    [[nodiscard]] fs::path store() const { return killed() / "store.db"; }

    static constexpr int kPayments = 8;
    StoreHarness harness;
    const TempDir other_;
};

TEST_P(InterruptedRestore, IsFinishedByTheNextAndLosesNothing) {
    const auto first = restore_and_kill(GetParam());

    std::vector<Restored> told;
    const auto finished = storage::restore_store({.data_dir = killed()}, WallTime{},
                                                 [&](const Restored& one) { told.push_back(one); });

    ASSERT_TRUE(finished) << finished.error().detail;
    ASSERT_EQ(told.size(), 1U);
    EXPECT_TRUE(told.front().is_finished_late);
    EXPECT_EQ(told.front().epoch, first.epoch);
    EXPECT_EQ(told.front().kept.filename(), first.kept.filename());
    EXPECT_EQ(told.front().generations_behind, 0);
    EXPECT_EQ(payments_in(store()), kPayments);
    EXPECT_TRUE(storage::verify_store(store(), {})->is_sound());
    EXPECT_FALSE(fs::exists(restoring_in(killed())));
}

TEST_P(InterruptedRestore, IsTouchedByNothingElse) {
    restore_and_kill(GetParam());
    const auto lock = FolderLock::take(killed());

    const auto opened = open_database(killed());

    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().detail.find("To finish it, run: fencegate restore"),
              std::string::npos);
    EXPECT_FALSE(storage::verify_store(store(), {}));
    EXPECT_FALSE(storage::salvage_store({.data_dir = killed(), .to = other_ / "new"}));
}

TEST_P(InterruptedRestore, OfADamagedLogStillTellsWhatIsLost) {
    const auto log = folder() / "store.db-wal";
    fs::resize_file(log, fs::file_size(log) - 3 * (24 + 4'096));
    const auto first = restore_and_kill(GetParam());
    ASSERT_NE(first.lost, "");

    const auto finished = storage::restore_store({.data_dir = killed()}, WallTime{});

    ASSERT_TRUE(finished) << finished.error().detail;
    EXPECT_EQ(finished->lost, first.lost);
}

TEST_P(InterruptedRestore, IsFinishedBeforeABackupIsPutBack) {
    const auto first = restore_and_kill(GetParam());
    const auto backup = killed() / first.kept.filename();

    const auto restored =
        storage::restore_store({.data_dir = killed(), .from = backup}, WallTime{});

    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_GT(restored->epoch, first.epoch);
    EXPECT_EQ(payments_in(store()), kPayments);
    EXPECT_EQ(payments_in(restored->kept), kPayments);
}

INSTANTIATE_TEST_SUITE_P(NamesChanged, InterruptedRestore, ::testing::Range(0, 4));

TEST(ReadyNote, IsReadAsItWasWritten) {
    const TempDir folder;
    fs::create_directory(restoring_in(folder.path()));
    const storage::ReadyNote note{{.epoch = 7,
                                   .leases_ended = 3,
                                   .kept = folder / "store.db.replaced-now",
                                   .generations_behind = 12,
                                   .pages_resealed = 2,
                                   .lost = "its log was cut",
                                   .unknown = "a note is missing"},
                                  {.epoch = 7, .generation = 99}};

    ASSERT_TRUE(storage::write_ready_note(folder.path(), note));
    const auto read = *storage::read_ready_note(folder.path());

    ASSERT_TRUE(read);
    EXPECT_EQ(read->restored.epoch, 7);
    EXPECT_EQ(read->restored.leases_ended, 3);
    EXPECT_EQ(read->restored.kept, note.restored.kept);
    EXPECT_EQ(read->restored.generations_behind, 12);
    EXPECT_EQ(read->restored.pages_resealed, 2);
    EXPECT_EQ(read->restored.lost, "its log was cut");
    EXPECT_EQ(read->restored.unknown, "a note is missing");
    EXPECT_EQ(read->mark.epoch, 7);
    EXPECT_EQ(read->mark.generation, 99);
}

}  // namespace
}  // namespace fencegate::testing
