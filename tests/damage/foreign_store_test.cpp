// An older store.db is put under the log of a newer one. The rows in the log speak for the store
// then, marks and all, and what was copied out of earlier logs is in neither.
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
using namespace storage::sqlite;

class ForeignStore : public ::testing::Test {
protected:
    // An old copy, three payments that are in the store, and a log that knows of neither.
    ForeignStore() {
        harness.create("old", 500);
        harness.store->close();
        harness.store.reset();
        fs::copy_file(file(), old_ / "store.db");
        harness.reopen();
        for (const auto* id : {"one", "two", "three"}) harness.create(id, 500);
        harness.store->close();
        harness.reopen();
        harness.store.reset();
    }
    void put_old_one_there() {
        fs::copy_file(old_ / "store.db", file(), fs::copy_options::overwrite_existing);
    }
    [[nodiscard]] fs::path file() const { return harness.folder() / "store.db"; }

    StoreHarness harness;

private:
    TempDir old_;
};

TEST_F(ForeignStore, ItsOwnLogIsSound) {
    ASSERT_GT(survey_log_in_folder(file())->frames, 0);

    EXPECT_FALSE(survey_log_in_folder(file())->damage);
}

TEST_F(ForeignStore, IsNotServed) {
    put_old_one_there();

    const auto lock = FolderLock::take(harness.folder());
    const auto opened = open_database(harness.folder());

    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().detail.find("older than its log"), std::string::npos)
        << opened.error().detail;
}

TEST_F(ForeignStore, IsNotSound) {
    put_old_one_there();

    const auto report = storage::verify_store(file(), {});

    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_FALSE(report->is_sound());
}

TEST_F(ForeignStore, IsNotRestoredAsItIs) {
    put_old_one_there();

    EXPECT_FALSE(storage::restore_store({.data_dir = harness.folder()}, WallTime{}));
}

TEST_F(ForeignStore, IsNotSalvagedAsWhole) {
    put_old_one_there();
    const TempDir other;

    const auto salvaged =
        storage::salvage_store({.data_dir = harness.folder(), .to = other / "new"});

    ASSERT_TRUE(salvaged) << salvaged.error().detail;
    EXPECT_FALSE(salvaged->is_whole());
    EXPECT_NE(salvaged->unknown, "");
}

}  // namespace
}  // namespace fencegate::testing
