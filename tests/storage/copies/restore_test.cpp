// A backup is put back: nothing that was granted after it may come to life again.
#include "storage/copies/restore.hpp"

#include "base/start_failure.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/page_seal_vfs.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

namespace fencegate::testing {
namespace {

// A store that was closed, its backup, and what follows a loss: the backup put back.
class Restore : public ::testing::Test {
protected:
    void back_up() {
        harness.store.reset();
        std::filesystem::copy_file(file(), backup_ / "store.db",
                                   std::filesystem::copy_options::overwrite_existing);
        harness.reopen();
    }
    void put_back(std::int64_t above) {
        harness.store.reset();
        std::filesystem::remove(harness.folder() / "store.db-wal");
        std::filesystem::copy_file(backup_ / "store.db", file(),
                                   std::filesystem::copy_options::overwrite_existing);
        const auto restored = storage::restore_store(
            {.data_dir = harness.folder(), .epoch_above = above}, harness.clock.wall_now());
        ASSERT_TRUE(restored) << restored.error().detail;
        epoch = restored->epoch;
        harness.reopen();
    }
    [[nodiscard]] std::filesystem::path file() const { return harness.folder() / "store.db"; }
    [[nodiscard]] std::filesystem::path copy() const { return backup_ / "store.db"; }

    StoreHarness harness{{{.name = "payments", .accepts_late_writes = true}}};
    std::int64_t epoch = 0;

private:
    TempDir backup_;
};

TEST_F(Restore, IssuesNoTokenASecondTime) {
    harness.store->close();
    back_up();
    const auto lost = harness.acquire("payments/pay_1");

    put_back(0);
    const auto next = harness.acquire("payments/pay_1");

    EXPECT_GT(next->fencing_token, lost->fencing_token);
}

TEST_F(Restore, OfTheSameBackupTwiceDoesNotReuseTheEpochInBetween) {
    harness.store->close();
    back_up();
    put_back(0);
    const auto between = harness.acquire("payments/pay_1");

    put_back(epoch);
    const auto next = harness.acquire("payments/pay_1");

    EXPECT_GT(next->fencing_token, between->fencing_token);
}

TEST_F(Restore, EndsEveryLeaseOfTheBackup) {
    harness.create("pay_1", 500);
    const auto held = harness.acquire("payments/pay_1", {.ttl_ms = 60'000});
    harness.store->close();
    back_up();

    put_back(0);

    EXPECT_EQ(code_of(harness.refund("pay_1", held->fencing_token)), ErrorCode::FenceBroken);
    EXPECT_TRUE(harness.acquire("payments/pay_1")->fencing_token > held->fencing_token);
}

TEST_F(Restore, NamesNothingElseByANumberOfTheLostJournal) {
    harness.create("kept", 10);
    harness.store->close();
    back_up();
    const auto lost = harness.create("lost", 20);

    put_back(0);
    const auto next = harness.create("next", 30);
    const auto events = harness.run(storage::ReadEvents{.after = lost.version});

    EXPECT_GT(next.version, lost.version);
    EXPECT_NE(events->body.find(R"("payment":"next")"), std::string::npos) << events->body;
    EXPECT_EQ(harness.observer.last_batch.journal_entries, 4);
    harness.store.reset();
    const auto report = storage::verify_store(file());
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->is_sound());
}

TEST_F(Restore, KeepsTheLeasesItEndsFromNowOn) {
    static_cast<void>(harness.acquire("payments/pay_1", {.ttl_ms = 3'600'000}));
    for (int hour = 0; hour < 3; ++hour) harness.tick(std::chrono::hours(1));
    static_cast<void>(harness.acquire("payments/pay_1", {.ttl_ms = 3'600'000}));
    harness.store->close();
    back_up();

    put_back(0);

    EXPECT_EQ(harness.number("SELECT ended_hour FROM leases WHERE state = 4"), 3);
}

TEST_F(Restore, EndsLateWritesToo) {
    harness.create("pay_1", 500);
    const auto expired = harness.acquire("payments/pay_1", {.ttl_ms = 100});
    harness.tick(Duration(200));
    harness.store->close();
    back_up();

    put_back(0);

    EXPECT_EQ(code_of(harness.refund("pay_1", expired->fencing_token)), ErrorCode::FenceStale);
}

TEST_F(Restore, FailsAfterTheLastEpochAndLeavesTheStoreAsItWas) {
    harness.store->close();
    back_up();
    harness.create("pay_1", 500);
    harness.store->close();
    harness.store.reset();

    for (const auto& from : {std::optional<std::filesystem::path>(), std::optional(copy())}) {
        const auto restored = storage::restore_store(
            {.data_dir = harness.folder(), .from = from, .epoch_above = lockmgr::kTokenEpochMax},
            harness.clock.wall_now());
        ASSERT_FALSE(restored);
        EXPECT_NE(restored.error().detail.find("Nothing was changed"), std::string::npos);
    }

    harness.reopen();
    EXPECT_FALSE(harness.payment("pay_1").error);
}

TEST_F(Restore, RefusesToCopyAStoreThatIsServed) {
    const TempDir other;

    const auto restored = storage::restore_store({.data_dir = other.path(), .from = file()},
                                                 harness.clock.wall_now());

    ASSERT_FALSE(restored);
    EXPECT_EQ(start_failure_of(restored.error()), StartFailure::InUse);
}

TEST_F(Restore, CopiesTheStoreOfAFolderThatNobodyServes) {
    harness.store.reset();
    const TempDir other;

    EXPECT_TRUE(storage::restore_store({.data_dir = other.path(), .from = file()},
                                       harness.clock.wall_now()));
}

// As `sqlite3 store.db .tables` does in the folder of a gateway that was killed: it copies the log
// into the store and removes it.
TEST_F(Restore, OfAStoreThatTheShellOfSqliteHasEmptiedTheLogOfLosesNothing) {
    harness.create("pay_1", 500);
    harness.store.reset();
    ::sqlite3* shell = nullptr;
    ASSERT_EQ(::sqlite3_open_v2(file().c_str(), &shell, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    ::sqlite3_exec(shell, "SELECT count(*) FROM payments", nullptr, nullptr, nullptr);
    ::sqlite3_close(shell);
    ASSERT_FALSE(std::filesystem::exists(harness.folder() / "store.db-wal"));
    const auto served = storage::sqlite::open_database(harness.folder());
    ASSERT_FALSE(served);
    EXPECT_TRUE(has(served.error().detail, "shell of SQLite")) << served.error().detail;
    EXPECT_TRUE(has(served.error().detail, "fencegate restore --data-dir"));

    const auto plain =
        storage::restore_store({.data_dir = harness.folder()}, harness.clock.wall_now());
    ASSERT_FALSE(plain);
    EXPECT_TRUE(has(plain.error().detail, "--reseal")) << plain.error().detail;

    const auto restored = storage::restore_store({.data_dir = harness.folder(), .reseals = true},
                                                 harness.clock.wall_now());

    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_GT(restored->pages_resealed, 0);
    EXPECT_EQ(restored->lost, "");
    EXPECT_EQ(restored->generations_behind, 0);
    harness.reopen();
    EXPECT_FALSE(harness.payment("pay_1").error);
    harness.store.reset();
    const auto report = storage::verify_store(file());
    ASSERT_TRUE(report && report->is_sound());
}

// Its seal is all that tells a changed digit from a written one, but for what other rows say.
TEST_F(Restore, ThatResealsRefusesAStoreThatDoesNotVerify) {
    harness.create("pay_1", 500);
    harness.store->close();
    harness.store.reset();
    ::sqlite3* shell = nullptr;
    ASSERT_EQ(::sqlite3_open_v2(file().c_str(), &shell, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    ASSERT_EQ(
        ::sqlite3_exec(shell, "UPDATE payments SET captured = 400", nullptr, nullptr, nullptr),
        SQLITE_OK)
        << ::sqlite3_errmsg(shell);
    ::sqlite3_close(shell);

    const auto restored = storage::restore_store({.data_dir = harness.folder(), .reseals = true},
                                                 harness.clock.wall_now());

    ASSERT_FALSE(restored);
    EXPECT_EQ(start_failure_of(restored.error()), StartFailure::BadData);
    EXPECT_TRUE(has(restored.error().detail, "is not sound")) << restored.error().detail;
}

TEST_F(Restore, RefusesWhatAnInterruptedOneLeft) {
    harness.store->close();
    harness.store.reset();
    const auto left = harness.folder() / "store.db.restoring";
    std::filesystem::create_directory(left);
    std::filesystem::copy_file(file(), left / "store.db");

    const auto restored = storage::restore_store(
        {.data_dir = harness.folder(), .from = left / "store.db"}, harness.clock.wall_now());

    ASSERT_FALSE(restored);
    EXPECT_EQ(start_failure_of(restored.error()), StartFailure::CannotRead);
    EXPECT_TRUE(std::filesystem::exists(left / "store.db"));
    ASSERT_TRUE(storage::restore_store({.data_dir = harness.folder()}, harness.clock.wall_now()));
    EXPECT_FALSE(std::filesystem::exists(left));
}

// Takes an index out of the schema, changes what it should tell, and puts it back.
void change_behind_the_back_of_an_index(const std::filesystem::path& file, const char* change) {
    const auto run = [&file](const std::string& sql) {
        ::sqlite3* handle = nullptr;
        ::sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE,
                          storage::sqlite::sealing_vfs());
        const auto all = "PRAGMA writable_schema = ON; PRAGMA trusted_schema = ON;" + sql;
        EXPECT_EQ(::sqlite3_exec(handle, all.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << ::sqlite3_errmsg(handle);
        ::sqlite3_close(handle);
    };
    run("CREATE TABLE hidden AS SELECT * FROM sqlite_schema WHERE name = 'open_holds';"
        "DELETE FROM sqlite_schema WHERE name = 'open_holds'");
    run(change);
    run("INSERT INTO sqlite_schema SELECT * FROM hidden; DROP TABLE hidden");
}

TEST_F(Restore, RefusesABackupWhoseIndexDoesNotMatch) {
    harness.create("pay_1", 500, /*capture=*/false);
    harness.store->close();
    back_up();
    change_behind_the_back_of_an_index(copy(), "UPDATE payments SET authorized_hour = 7");
    const TempDir other;

    const auto restored = storage::restore_store({.data_dir = other.path(), .from = copy()},
                                                 harness.clock.wall_now());

    ASSERT_FALSE(restored);
    EXPECT_EQ(start_failure_of(restored.error()), StartFailure::BadData);
}

}  // namespace
}  // namespace fencegate::testing
