// What is done to the tail note together with the end of the log, where all payments lie between
// two marks: the marks say nothing then, and nothing but the note could. No command passes over it.
#include "storage/copies/restore.hpp"
#include "storage/copies/salvage.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/log_survey.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/damage/deeds.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using namespace storage::sqlite;

constexpr int kPayments = 8;

class UnnotedFolders : public ::testing::Test {
protected:
    UnnotedFolders() {
        fill(killed);
        fill(other);
        frames = survey_log(killed.folder() / "store.db")->frames;
    }
    // The clock stands still: no mark is moved. As where the file system knows no births.
    static void fill(StoreHarness& store) {
        store.connection->exec("UPDATE store SET born_ns = 0");
        for (int number = 0; number < kPayments; ++number)
            store.create("pay_" + std::to_string(number), 500);
        store.store.reset();
    }

    // Every deed on the note, and every one on the log, and the log cut by few frames.
    void each_way(const std::function<std::string(const fs::path& folder)>& fault_of) {
        auto on_log = deeds();
        for (const std::int64_t cut : {1, 2, 3, 5, 9})
            on_log.push_back({"CutFrames", [this, cut](const auto& file, const auto&) {
                                  fs::resize_file(file, static_cast<std::uintmax_t>(
                                                            frame_offset(frames + 1 - cut, 4'096)));
                              }});
        for (const auto& note : deeds()) {
            for (const auto& log : on_log) {
                const TempDir copy;
                const auto folder = copy / "data";
                fs::copy(killed.folder(), folder, fs::copy_options::recursive);
                note.act(folder / "store.db-tail", other.folder() / "store.db-tail");
                log.act(folder / "store.db-wal", other.folder() / "store.db-wal");
                EXPECT_EQ(fault_of(folder), "") << note.name << " note, " << log.name << " log";
            }
        }
    }
    // -1: they cannot be read.
    static std::int64_t payments_in(const fs::path& file) {
        const auto opened = Connection::open_to_read(file);
        if (!opened) return -1;
        Statement count(**opened, "SELECT count(*) FROM payments");
        auto row = count.query();
        return row.next() && !(*opened)->failure() ? row.integer(0) : -1;
    }

    StoreHarness killed;
    StoreHarness other;
    std::int64_t frames = 0;
};

TEST_F(UnnotedFolders, AStartServesAllOfItOrNothing) {
    each_way([](const fs::path& folder) -> std::string {
        if (const auto opened = open_database(folder); !opened) return {};
        return payments_in(folder / "store.db") == kPayments ? "" : "serves and lacks payments";
    });
}

TEST_F(UnnotedFolders, VerifyFindsSoundOnlyWhatIsWhole) {
    each_way([](const fs::path& folder) -> std::string {
        const auto report = storage::verify_store(folder / "store.db");
        if (!report || !report->is_sound()) return {};
        return payments_in(folder / "store.db") == kPayments ? "" : "is found sound";
    });
}

TEST_F(UnnotedFolders, RestoreSaysWhatIsLostOrNotKnown) {
    each_way([](const fs::path& folder) -> std::string {
        const auto restored = storage::restore_store({.data_dir = folder}, WallTime{});
        if (!restored || payments_in(folder / "store.db") == kPayments) return {};
        return restored->lost.empty() && restored->unknown.empty() ? "lost payments, untold" : "";
    });
}

TEST_F(UnnotedFolders, RestoreFromItRefusesOrTakesAllOfIt) {
    each_way([](const fs::path& folder) -> std::string {
        const TempDir elsewhere;
        const auto restored = storage::restore_store(
            {.data_dir = elsewhere / "new", .from = folder / "store.db"}, WallTime{});
        if (!restored || payments_in(elsewhere / "new" / "store.db") == kPayments) return {};
        return "lost payments, untold";
    });
}

TEST_F(UnnotedFolders, SalvageIsWholeOnlyWithAllOfIt) {
    each_way([](const fs::path& folder) -> std::string {
        const TempDir elsewhere;
        const auto salvaged = storage::salvage_store({.data_dir = folder, .to = elsewhere / "new"});
        if (!salvaged || !salvaged->is_whole()) return {};
        return payments_in(elsewhere / "new" / "store.db") == kPayments ? "" : "lost payments";
    });
}

// Before a store is remembered its note is durable, so a start that is cut off is no damage.
TEST_F(UnnotedFolders, AStoreThatNobodyRemembersMayLackItsNote) {
    fs::remove(killed.folder() / "store.db-tail");
    fs::remove_all(killed.folder() / "store.marks");
    fs::resize_file(killed.folder() / "store.lock", 0);

    EXPECT_TRUE(open_database(killed.folder()));
}

}  // namespace
}  // namespace fencegate::testing
