// A name is durable once its folder was synced. The power goes right after a command has said that
// it is done, and with it every name and byte that was not synced: what it said must be so.
#include "base/file.hpp"
#include "proxy/access/key_file.hpp"
#include "storage/copies/restore.hpp"
#include "storage/copies/salvage.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/tail_note.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/forgetful_disk.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using Now = DurableNames::Now;

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

// A disk that holds an empty folder and nothing else.
class ForgottenNames : public ::testing::Test {
protected:
    ForgottenNames() { disk_.watch(root_.path(), Now::IsDurable); }

    void cut_the_power(Remains remains = Remains::Nothing) { disk_.power_cut(remains, random_); }
    // A store with so many payments, left as a kill leaves it.
    static void make_store(const fs::path& folder, int payments) {
        StoreHarness made;
        for (int at = 0; at < payments; ++at) made.create("pay_" + std::to_string(at), 500);
        made.store.reset();
        fs::copy(made.folder(), folder, fs::copy_options::recursive);
    }

    // -1: it does not serve.
    static std::int64_t payments_served(const fs::path& folder) {
        const auto lock = storage::sqlite::FolderLock::take(folder);
        const auto opened = storage::sqlite::open_database(folder);
        if (!opened) {
            ADD_FAILURE() << opened.error().detail;
            return -1;
        }
        storage::sqlite::Statement count(**opened, "SELECT count(*) FROM payments");
        auto row = count.query();
        return row.next() ? row.integer(0) : -1;
    }

    void cut_a_restore_off(bool has_backup);

    ForgetfulDisk disk_;
    SeededRandom random_{7};
    TempDir root_;
};

TEST_F(ForgottenNames, TheDiskForgetsWhatWasNotSynced) {
    fs::create_directory(root_ / "folder");
    std::ofstream(root_ / "made") << "text";

    cut_the_power();

    EXPECT_TRUE(names_in(root_.path()).empty());
}

TEST_F(ForgottenNames, TheDiskPutsBackWhatWasMovedOrRemoved) {
    std::ofstream(root_ / "kept") << "old";
    std::ofstream(root_ / "moved") << "new";
    disk_.watch(root_.path(), Now::IsDurable);
    fs::rename(root_ / "moved", root_ / "kept");

    cut_the_power();
    EXPECT_EQ(content_of(root_ / "kept"), "old");
    EXPECT_EQ(content_of(root_ / "moved"), "new");

    fs::remove(root_ / "kept");
    ASSERT_TRUE(sync_path(root_.path()));
    cut_the_power();
    EXPECT_EQ(names_in(root_.path()), std::vector<std::string>{"moved"});
}

TEST_F(ForgottenNames, AFolderThatWasMadeIsThereWithItsParents) {
    ASSERT_TRUE(make_private_directory(root_ / "a" / "b" / "data"));

    cut_the_power();

    EXPECT_TRUE(fs::is_directory(root_ / "a" / "b" / "data"));
}

TEST_F(ForgottenNames, AFileThatWasWrittenIsThere) {
    ASSERT_TRUE(write_file_atomically(root_ / "file", "old", FileMode::Secret));
    ASSERT_TRUE(write_file_atomically(root_ / "file", "new", FileMode::Secret));

    cut_the_power();

    EXPECT_EQ(content_of(root_ / "file"), "new");
    EXPECT_EQ(names_in(root_.path()).size(), 1U);
}

TEST_F(ForgottenNames, AFileIsOldOrNewWhereverThePowerGoes) {
    for (std::size_t cut = 1;; ++cut) {
        const auto file = root_ / std::to_string(cut);
        ASSERT_TRUE(write_file_atomically(file, "old", FileMode::Secret));
        disk_.lose_power_at(cut);
        const auto written = write_file_atomically(file, "new", FileMode::Secret);
        if (!disk_.has_struck()) break;
        EXPECT_FALSE(written) << "cut " << cut;
        cut_the_power(static_cast<Remains>(cut % kRemainsCount));
        const auto content = content_of(file);
        EXPECT_TRUE(content == "old" || content == "new") << "cut " << cut << ": " << content;
    }
}

TEST_F(ForgottenNames, AKeyThatWasShownIsKnown) {
    SystemRandom random;
    const auto key = proxy::add_key(root_ / "data", {"cron", proxy::ScopeSet::all()}, random, {});
    ASSERT_TRUE(key) << key.error().detail;

    cut_the_power();

    const auto keys = proxy::list_keys(root_ / "data");
    ASSERT_TRUE(keys) << keys.error().detail;
    EXPECT_EQ(keys->size(), 1U);
}

TEST_F(ForgottenNames, AStoreInANewFolderServesWhatItAcknowledged) {
    const auto folder = root_ / "new" / "data";
    ASSERT_TRUE(make_private_directory(folder));
    {
        const auto lock = storage::sqlite::FolderLock::take(folder);
        const auto opened = storage::sqlite::open_database(folder);
        ASSERT_TRUE(opened) << opened.error().detail;
        storage::sqlite::Statement(**opened, "UPDATE store SET sequence = 77").run();
        ASSERT_FALSE((*opened)->failure());
    }

    cut_the_power();

    const auto lock = storage::sqlite::FolderLock::take(folder);
    const auto opened = storage::sqlite::open_database(folder);
    ASSERT_TRUE(opened) << opened.error().detail;
    storage::sqlite::Statement look(**opened, "SELECT sequence FROM store");
    auto row = look.query();
    ASSERT_TRUE(row.next());
    EXPECT_EQ(row.integer(0), 77);
}

// Wherever the power goes: what the folder remembers by then, its tail note among it, is there.
TEST_F(ForgottenNames, AFirstStartThatIsCutOffIsMadeAgain) {
    for (std::size_t cut = 1;; ++cut) {
        const auto folder = root_ / std::to_string(cut);
        fs::create_directory(folder);
        disk_.watch(root_.path(), Now::IsDurable);
        disk_.lose_power_at(cut);
        {
            const auto lock = storage::sqlite::FolderLock::take(folder);
            static_cast<void>(storage::sqlite::open_database(folder));
        }
        const bool is_over = !disk_.has_struck();

        cut_the_power(static_cast<Remains>(cut % kRemainsCount));

        ASSERT_EQ(payments_served(folder), 0) << "cut " << cut;
        if (is_over) break;
    }
}

// Without these a store that is put back or missing after the cut would not be found out.
TEST_F(ForgottenNames, AFolderRemembersItsStore) {
    const auto folder = root_ / "data";
    ASSERT_TRUE(make_private_directory(folder));
    {
        const auto lock = storage::sqlite::FolderLock::take(folder);
        ASSERT_TRUE(storage::sqlite::open_database(folder));
    }
    const auto mark = storage::sqlite::read_mark(folder);
    ASSERT_GT(mark.generation, 0);
    const auto note = storage::sqlite::read_tail_note(folder / "store.db");
    ASSERT_TRUE(note.has_value());

    cut_the_power();

    EXPECT_EQ(storage::sqlite::read_mark(folder).generation, mark.generation);
    EXPECT_EQ(storage::sqlite::read_tail_note(folder / "store.db"), note);
    EXPECT_NE(content_of(folder / "store.lock"), "");
}

TEST_F(ForgottenNames, ARestoredStoreIsRestoredAndWhatWasThereIsKept) {
    const auto folder = root_ / "data";
    make_store(folder, 3);
    make_store(root_ / "backup", 2);
    disk_.watch(root_.path(), Now::IsDurable);
    const auto was = content_of(folder / "store.db-wal");
    for (const bool has_backup : {false, true}) {
        storage::RestoreOptions options{.data_dir = folder};
        if (has_backup) options.from = root_ / "backup" / "store.db";
        const auto restored = storage::restore_store(options, WallTime{});
        ASSERT_TRUE(restored) << restored.error().detail;

        cut_the_power();

        ASSERT_TRUE(fs::exists(restored->kept)) << restored->kept;
        if (!has_backup) {
            EXPECT_EQ(content_of(restored->kept.string() + "-wal"), was);
        }
        const auto lock = storage::sqlite::FolderLock::take(folder);
        const auto opened = storage::sqlite::open_database(folder);
        ASSERT_TRUE(opened) << opened.error().detail;
        storage::sqlite::Statement look(**opened,
                                        "SELECT epoch, (SELECT count(*) FROM payments) FROM store");
        auto row = look.query();
        ASSERT_TRUE(row.next());
        EXPECT_EQ(row.integer(0), restored->epoch);
        EXPECT_EQ(row.integer(1), has_backup ? 2 : 3);
    }
}

void ForgottenNames::cut_a_restore_off(bool has_backup) {
    const TempDir made;
    make_store(made / "data", 3);
    make_store(made / "backup", 2);
    const auto store = content_of(made / "data" / "store.db");
    const auto log = content_of(made / "data" / "store.db-wal");
    const auto folder = root_ / "data";
    std::size_t cuts = 0;
    for (bool is_over = false; !is_over;) {
        fs::remove_all(folder);
        fs::copy(made / "data", folder, fs::copy_options::recursive);
        disk_.watch(root_.path(), Now::IsDurable);
        disk_.lose_power_at(++cuts);
        storage::RestoreOptions options{.data_dir = folder};
        if (has_backup) options.from = made / "backup" / "store.db";
        static_cast<void>(storage::restore_store(options, WallTime{}));
        is_over = !disk_.has_struck();

        cut_the_power(static_cast<Remains>(cuts % kRemainsCount));

        const auto is_there = [&](const std::string& bytes) {
            return std::ranges::any_of(names_in(folder), [&](const auto& name) {
                return fs::is_regular_file(folder / name) && content_of(folder / name) == bytes;
            });
        };
        EXPECT_TRUE(is_there(store) && is_there(log)) << "cut " << cuts;
        ASSERT_TRUE(storage::restore_store(options, WallTime{})) << "cut " << cuts;
        ASSERT_EQ(payments_served(folder), has_backup ? 2 : 3) << "cut " << cuts;
    }
    EXPECT_GT(cuts, 10U);
}

// What was there is there still, under whatever name, and a store that is not the restored one
// does not serve.
TEST_F(ForgottenNames, ARestoreThatIsCutOffLosesNothing) {
    for (const bool has_backup : {false, true}) cut_a_restore_off(has_backup);
}

// With a log, and of a store that was stopped and has none.
TEST_F(ForgottenNames, ASalvagedStoreIsThere) {
    make_store(root_ / "data", 3);
    for (const char* to : {"salvaged", "again"}) {
        disk_.watch(root_.path(), Now::IsDurable);
        const auto salvaged =
            storage::salvage_store({.data_dir = root_ / "data", .to = root_ / to});
        ASSERT_TRUE(salvaged) << salvaged.error().detail;

        cut_the_power();

        const auto report =
            storage::verify_store(root_ / to / "store.db", {.holds_against_marks = false});
        ASSERT_TRUE(report) << report.error().detail;
        EXPECT_TRUE(report->is_sound());
        EXPECT_GT(storage::sqlite::read_mark(root_ / to).generation, 0);
        ASSERT_TRUE(storage::restore_store({.data_dir = root_ / "data"}, WallTime{}));
        ASSERT_EQ(content_of(root_ / "data" / "store.db-wal"), "");
    }
}

// A signal that comes while the disk is at work is no failure of the disk.
TEST_F(ForgottenNames, ASyncThatASignalInterruptsIsMadeAgain) {
    StoreHarness store;
    for (const std::size_t times : {1, 2, 5}) {
        disk_.interrupt_syncs(times);
        const auto made = store.create("pay_" + std::to_string(times), 500);
        EXPECT_FALSE(made.error) << times << ": " << made.error->detail;
        EXPECT_FALSE(store.store->fatal());
        disk_.interrupt_syncs(times);
        EXPECT_TRUE(write_file_atomically(root_ / "file", "text", FileMode::Secret));
        disk_.interrupt_syncs(times);
        EXPECT_TRUE(sync_path(root_.path()));
    }
    store.reopen();
    EXPECT_EQ(store.number("SELECT count(*) FROM payments"), 3);
}

}  // namespace
}  // namespace fencegate::testing
