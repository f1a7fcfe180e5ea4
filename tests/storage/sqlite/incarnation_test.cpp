// A store that was copied or put back does not serve until its epoch is raised. One that is healthy
// always does: a false refusal would stop payments.
#include "base/start_failure.hpp"
#include "storage/copies/restore.hpp"
#include "storage/sqlite/database.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/stat.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

constexpr auto kOverwrite = fs::copy_options::recursive | fs::copy_options::overwrite_existing;

class Incarnation : public ::testing::Test {
protected:
    // As `cp -r` does.
    fs::path copy_folder() {
        const auto copy = elsewhere_.path() / ("copy-" + std::to_string(++copies_));
        fs::copy(harness.folder(), copy, fs::copy_options::recursive);
        return copy;
    }
    // As `cp -r copy/. folder` does: the same files with older content, and what is newer stays.
    void put_back(const fs::path& copy) { fs::copy(copy, harness.folder(), kOverwrite); }
    void stop() {
        harness.store->close();
        crash();
    }
    void crash() { harness.store.reset(); }
    // A commit late enough after the last mark to move it.
    void work_on() {
        harness.clock.advance(Duration(1'000));
        harness.create("later-" + std::to_string(++payments_), 500);
    }
    static Error refusal(const fs::path& folder) {
        const auto opened = storage::sqlite::open_database(folder);
        EXPECT_FALSE(opened) << "it was not noticed";
        return opened ? Error{} : opened.error();
    }
    static bool opens(const fs::path& folder) {
        const auto opened = storage::sqlite::open_database(folder);
        EXPECT_TRUE(opened) << opened.error().detail;
        return opened.has_value();
    }
    [[nodiscard]] Result<storage::Restored> restore(storage::RestoreOptions options) const {
        return storage::restore_store(options, harness.clock.wall_now());
    }
    [[nodiscard]] bool knows_births() const {
        struct statx status {};
        const auto file = harness.folder() / "store.db";
        ::statx(AT_FDCWD, file.c_str(), 0, STATX_BTIME, &status);
        return (status.stx_mask & STATX_BTIME) != 0 && status.stx_btime.tv_sec != 0;
    }

    static std::set<fs::path> names_in(const fs::path& folder) {
        std::set<fs::path> names;
        for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path());
        return names;
    }

    StoreHarness harness;
    TempDir elsewhere_;

private:
    int copies_ = 0;
    int payments_ = 0;
};

TEST_F(Incarnation, OpensAgainAfterAStopAndAfterACrash) {
    harness.reopen();
    stop();

    harness.reopen();
    work_on();
    harness.reopen();

    EXPECT_TRUE(harness.acquire("a"));
}

TEST_F(Incarnation, OpensAgainInAFolderThatWasMoved) {
    stop();
    const auto moved = elsewhere_ / "moved";
    std::error_code ec;
    fs::rename(harness.folder(), moved, ec);
    ASSERT_FALSE(ec) << ec.message();

    EXPECT_TRUE(opens(moved));
    fs::rename(moved, harness.folder());
}

// chown -R at the start of a container, backup programs that touch what they have read.
TEST_F(Incarnation, OpensAgainWhateverModesAndTimesItsFilesGot) {
    stop();
    for (const auto& entry : fs::recursive_directory_iterator(harness.folder())) {
        if (!entry.is_directory()) fs::permissions(entry, fs::perms(0640));
        fs::last_write_time(entry, fs::file_time_type::clock::now() - std::chrono::hours(100));
    }

    EXPECT_TRUE(opens(harness.folder()));
}

// The commit is on the disk, the mark is not: what a power cut in between leaves.
TEST_F(Incarnation, OpensAheadOfItsMarks) {
    const auto marks = harness.folder() / "store.marks";
    fs::copy(marks, elsewhere_ / "marks");
    work_on();
    work_on();
    crash();
    fs::remove_all(marks);
    fs::copy(elsewhere_ / "marks", marks);

    EXPECT_TRUE(opens(harness.folder()));
}

TEST_F(Incarnation, OpensWithoutMarksAndBesideWhatIsNone) {
    stop();
    fs::remove_all(harness.folder() / "store.marks");
    EXPECT_TRUE(opens(harness.folder()));
    for (const char* name : {"", "x", "1", "1-", "-5-", "99-99x", "7-99999999999999999999"})
        std::ofstream(harness.folder() / "store.marks" / name);

    EXPECT_TRUE(opens(harness.folder()));
}

TEST_F(Incarnation, OpensOnAFullDiskAndIsStillAtHomeAfterwards) {
    ForgetfulDisk disk;
    StoreHarness full;
    full.create("pay_1", 500);
    full.store.reset();
    disk.fail_at(1, SQLITE_FULL, 100'000);

    EXPECT_TRUE(opens(full.folder()));

    disk.be_sound();
    EXPECT_TRUE(opens(full.folder()));
}

TEST_F(Incarnation, KeepsTwoMarksHoweverLongItRuns) {
    for (int round = 0; round < 20; ++round) work_on();

    const fs::directory_iterator marks(harness.folder() / "store.marks");
    EXPECT_EQ(std::distance(marks, {}), 2);
}

TEST_F(Incarnation, RefusesAStoreThatWasPutBackIntoTheSameFileAndSaysWhatToRun) {
    stop();
    const auto backup = copy_folder();
    harness.reopen();
    stop();

    fs::copy_file(backup / "store.db", harness.folder() / "store.db",
                  fs::copy_options::overwrite_existing);

    const auto error = refusal(harness.folder());
    EXPECT_EQ(start_failure_of(error), StartFailure::BadData);
    EXPECT_NE(error.detail.find("put back"), std::string::npos);
    EXPECT_NE(error.detail.find("fencegate restore --data-dir " + harness.folder().string()),
              std::string::npos);
}

TEST_F(Incarnation, RefusesAWholeFolderThatWasCopiedOverItself) {
    const auto backup = copy_folder();
    stop();

    put_back(backup);

    EXPECT_EQ(start_failure_of(refusal(harness.folder())), StartFailure::BadData);
}

TEST_F(Incarnation, RefusesWhatWasPutBackAfterACrashToo) {
    work_on();
    const auto backup = copy_folder();
    work_on();
    crash();

    put_back(backup);

    EXPECT_EQ(start_failure_of(refusal(harness.folder())), StartFailure::BadData);
}

TEST_F(Incarnation, RefusesAStoreOfTheVersionBefore) {
    const auto backup = copy_folder();
    stop();
    put_back(backup);
    {
        const auto old =
            storage::sqlite::open_database(harness.folder(), storage::sqlite::Origin::Anywhere);
        ASSERT_TRUE(old);
        (*old)->exec("UPDATE store SET generation = 0, born_ns = 0");
    }

    EXPECT_EQ(start_failure_of(refusal(harness.folder())), StartFailure::BadData);
}

TEST_F(Incarnation, RefusesACopyOfTheWholeFolderAndServesTheOriginal) {
    if (!knows_births()) GTEST_SKIP() << "this file system does not say when a file was made";
    stop();
    const auto copy = copy_folder();

    const auto error = refusal(copy);

    EXPECT_NE(error.detail.find("copied"), std::string::npos);
    EXPECT_EQ(start_failure_of(refusal(copy)), StartFailure::BadData) << "once is not enough";
    EXPECT_TRUE(opens(harness.folder()));
}

TEST_F(Incarnation, RefusesAStoreInAFolderThatNeverHadOneWhereBirthsAreUnknown) {
    harness.connection->exec("UPDATE store SET born_ns = 0");
    harness.connection->checkpoint(true);
    crash();
    const auto strange = elsewhere_ / "strange";
    fs::create_directory(strange);
    fs::copy_file(harness.folder() / "store.db", strange / "store.db");

    EXPECT_EQ(start_failure_of(refusal(strange)), StartFailure::BadData);
    EXPECT_TRUE(opens(harness.folder()));
}

TEST_F(Incarnation, ServesAgainOnceItsEpochIsRaised) {
    const auto before = harness.acquire("a", {.ttl_ms = 60'000});
    stop();
    const auto backup = copy_folder();
    harness.reopen();
    const auto lost = harness.acquire("b");
    stop();
    put_back(backup);

    const auto restored = restore({.data_dir = harness.folder()});

    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_EQ(restored->leases_ended, 1);
    harness.reopen();
    const auto next = harness.acquire("a");
    EXPECT_GT(next->fencing_token, lost->fencing_token);
    EXPECT_GT(lost->fencing_token, before->fencing_token);
}

TEST_F(Incarnation, ARestoreFromAFileKeepsTheStoreThatWasThereAndLeavesTheBackupAlone) {
    harness.create("pay_1", 500);
    stop();
    const auto backup = copy_folder();
    fs::remove(backup / "store.db-wal");
    const auto written = fs::last_write_time(backup / "store.db");
    const auto names = names_in(backup);
    harness.reopen();
    harness.create("pay_2", 500);
    stop();

    const auto first = restore({.data_dir = harness.folder(), .from = backup / "store.db"});
    const auto second = restore({.data_dir = harness.folder(), .from = backup / "store.db"});

    ASSERT_TRUE(first && second);
    EXPECT_NE(first->kept, second->kept);
    EXPECT_TRUE(fs::exists(first->kept) && fs::exists(second->kept));
    EXPECT_GT(second->epoch, first->epoch);
    EXPECT_EQ(fs::last_write_time(backup / "store.db"), written);
    EXPECT_EQ(names_in(backup), names);
    harness.reopen();
    EXPECT_EQ(harness.number("SELECT count(*) FROM payments"), 1);
}

// What a gateway that was killed leaves: most of it is in the log.
TEST_F(Incarnation, ARestoreTakesTheLogOfTheBackupAlong) {
    harness.create("pay_1", 500);
    crash();
    const auto backup = copy_folder();
    ASSERT_GT(fs::file_size(backup / "store.db-wal"), 0U);

    const auto elsewhere = elsewhere_ / "new";
    const auto restored = restore({.data_dir = elsewhere, .from = backup / "store.db"});

    ASSERT_TRUE(restored) << restored.error().detail;
    const auto opened = storage::sqlite::open_database(elsewhere);
    ASSERT_TRUE(opened) << opened.error().detail;
    storage::sqlite::Statement count(**opened, "SELECT count(*) FROM payments");
    auto row = count.query();
    EXPECT_TRUE(row.next() && row.integer(0) == 1);
}

TEST_F(Incarnation, ARestoreRemembersTheEpochsOfItsFolder) {
    stop();
    const auto backup = copy_folder();
    const storage::RestoreOptions from_backup{.data_dir = harness.folder(),
                                              .from = backup / "store.db"};
    std::int64_t last = 0;

    for (int round = 0; round < 3; ++round) {
        const auto restored = restore(from_backup);
        ASSERT_TRUE(restored) << restored.error().detail;
        EXPECT_GT(restored->epoch, last);
        last = restored->epoch;
    }
}

// At any write: until a restore has succeeded the folder is refused, unless nothing was changed.
// Also where no birth gives the backup away.
TEST_F(Incarnation, ARestoreThatIsCutShortServesNothingUntilItIsRepeated) {
    harness.create("pay_1", 500);
    stop();
    const auto backup = copy_folder();
    {
        const auto opened =
            storage::sqlite::open_database(backup, storage::sqlite::Origin::Anywhere);
        (*opened)->exec("UPDATE store SET born_ns = 0");
        (*opened)->checkpoint(true);
    }
    std::size_t failures = 0;

    for (std::size_t cut = 1;; ++cut) {
        StoreHarness folder;
        folder.store->close();
        folder.store.reset();
        ForgetfulDisk disk;
        SeededRandom random(cut);
        disk.lose_power_at(cut);
        const auto restored = restore({.data_dir = folder.folder(), .from = backup / "store.db"});
        if (!disk.has_struck()) {
            ASSERT_TRUE(restored) << restored.error().detail;
            break;
        }
        ++failures;
        disk.power_cut(static_cast<Remains>(cut % kRemainsCount), random);
        disk.be_sound();

        const auto opened = storage::sqlite::open_database(folder.folder());
        if (opened) {
            // The store that was there has no payment.
            storage::sqlite::Statement look(
                **opened, "SELECT epoch > 0 OR NOT EXISTS (SELECT 1 FROM payments) FROM store");
            auto row = look.query();
            ASSERT_TRUE(row.next() && row.integer(0) == 1) << "cut " << cut << " serves a backup";
            continue;
        }
        ASSERT_NE(opened.error().detail.find("fencegate restore"), std::string::npos);
        const auto again = restore({.data_dir = folder.folder()});
        ASSERT_TRUE(again) << "cut " << cut << ": " << again.error().detail;
        ASSERT_TRUE(opens(folder.folder()));
    }

    EXPECT_GT(failures, 5U);
}

TEST_F(Incarnation, ARestoreFromWhatIsNoStoreChangesNothing) {
    stop();
    const auto junk = elsewhere_ / "junk";
    fs::copy_file(harness.folder() / "store.lock", junk);

    EXPECT_FALSE(restore({.data_dir = harness.folder(), .from = junk}));
    EXPECT_FALSE(restore({.data_dir = harness.folder(), .from = elsewhere_ / "nothing"}));

    harness.reopen();
    EXPECT_TRUE(harness.acquire("a"));
    EXPECT_FALSE(fs::exists(harness.folder() / "store.db.restoring"));
}

TEST_F(Incarnation, ARestoreBesideARunningGatewayIsRefused) {
    const auto restored = restore({.data_dir = harness.folder()});

    ASSERT_FALSE(restored);
    EXPECT_EQ(start_failure_of(restored.error()), StartFailure::InUse);
}

}  // namespace
}  // namespace fencegate::testing
