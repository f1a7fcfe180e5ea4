// The locks of a database file, beside those that SQLite itself takes with its own VFS.
#include "storage/sqlite/file_locks.hpp"

#include "storage/sqlite/connection.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <memory>

namespace fencegate::storage::sqlite {
namespace {

class FileLocksTest : public ::testing::Test {
protected:
    FileLocksTest() {
        std::ofstream{file};
        EXPECT_EQ(ours.open(file.c_str(), /*is_only_read=*/false), SQLITE_OK);
        EXPECT_EQ(theirs.open(file.c_str(), /*is_only_read=*/false), SQLITE_OK);
    }

    testing::TempDir folder;
    std::filesystem::path file = folder / "store.db";
    FileLocks ours;
    FileLocks theirs;
};

TEST_F(FileLocksTest, ReadersShareAndAWriterIsAlone) {
    EXPECT_EQ(ours.raise(SQLITE_LOCK_SHARED), SQLITE_OK);
    EXPECT_EQ(theirs.raise(SQLITE_LOCK_SHARED), SQLITE_OK);

    EXPECT_EQ(ours.raise(SQLITE_LOCK_RESERVED), SQLITE_OK);
    EXPECT_EQ(theirs.raise(SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    EXPECT_EQ(ours.raise(SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);

    EXPECT_EQ(theirs.lower(SQLITE_LOCK_NONE), SQLITE_OK);
    EXPECT_EQ(theirs.raise(SQLITE_LOCK_SHARED), SQLITE_BUSY) << "a writer waits: no reader anew";
    EXPECT_EQ(ours.raise(SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    EXPECT_EQ(ours.lower(SQLITE_LOCK_SHARED), SQLITE_OK);
    EXPECT_EQ(theirs.raise(SQLITE_LOCK_SHARED), SQLITE_OK);
    EXPECT_EQ(ours.lower(SQLITE_LOCK_NONE), SQLITE_OK);
    EXPECT_EQ(theirs.raise(SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
}

TEST_F(FileLocksTest, WhoIsAboutToWriteIsSeen) {
    bool is_reserved = true;
    EXPECT_EQ(theirs.is_reserved(is_reserved), SQLITE_OK);
    EXPECT_FALSE(is_reserved);

    EXPECT_EQ(ours.raise(SQLITE_LOCK_SHARED), SQLITE_OK);
    EXPECT_EQ(ours.raise(SQLITE_LOCK_RESERVED), SQLITE_OK);

    EXPECT_EQ(theirs.is_reserved(is_reserved), SQLITE_OK);
    EXPECT_TRUE(is_reserved);
}

TEST_F(FileLocksTest, NoOtherLookAtTheFileTakesThemAway) {
    EXPECT_FALSE(is_locked(file));
    EXPECT_EQ(ours.raise(SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);

    for (int look = 0; look < 3; ++look) std::ifstream{file}.get();

    EXPECT_TRUE(is_locked(file));
    EXPECT_EQ(theirs.raise(SQLITE_LOCK_SHARED), SQLITE_BUSY);
}

// With the VFS of every other program.
class ForeignSqlite {
public:
    explicit ForeignSqlite(const std::filesystem::path& file) {
        EXPECT_EQ(::sqlite3_open(file.c_str(), &handle_), SQLITE_OK);
    }
    ~ForeignSqlite() { ::sqlite3_close(handle_); }
    ForeignSqlite(const ForeignSqlite&) = delete;
    ForeignSqlite& operator=(const ForeignSqlite&) = delete;

    int run(const char* sql) { return ::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); }

private:
    ::sqlite3* handle_ = nullptr;
};

TEST_F(FileLocksTest, AreTheOnesThatSqliteRespectsAndTakes) {
    const auto open = Connection::open(file);
    ASSERT_TRUE(open);
    auto& connection = **open;
    connection.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
        "CREATE TABLE rows (id INTEGER PRIMARY KEY)");
    ASSERT_FALSE(connection.failure());
    ForeignSqlite foreign(file);
    EXPECT_EQ(foreign.run("SELECT count(*) FROM rows"), SQLITE_BUSY);
}

TEST_F(FileLocksTest, KeepOutOfADatabaseThatSqliteWritesTo) {
    ForeignSqlite foreign(file);
    EXPECT_EQ(foreign.run("CREATE TABLE rows (id INTEGER PRIMARY KEY); BEGIN IMMEDIATE"),
              SQLITE_OK);
    EXPECT_EQ(ours.raise(SQLITE_LOCK_SHARED), SQLITE_OK);
    EXPECT_EQ(ours.raise(SQLITE_LOCK_RESERVED), SQLITE_BUSY);

    EXPECT_EQ(foreign.run("INSERT INTO rows DEFAULT VALUES; COMMIT"), SQLITE_BUSY);
    EXPECT_EQ(ours.lower(SQLITE_LOCK_NONE), SQLITE_OK);
    EXPECT_EQ(foreign.run("COMMIT"), SQLITE_OK);
    EXPECT_FALSE(is_locked(file));
}

}  // namespace
}  // namespace fencegate::storage::sqlite
