// What a connection says of its log is what is in it, also when a copy into the database comes up
// short.
#include "storage/sqlite/connection.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

using storage::sqlite::Connection;
using storage::sqlite::Statement;

class Checkpoint : public ::testing::Test {
protected:
    Checkpoint() : writer(*Connection::open(file())) {
        writer->exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
        writer->watch_wal();
        writer->exec("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)");
        writer->on_copied([this](bool) {
            ++told;
            return true;
        });
    }
    ~Checkpoint() override { writer->on_copied({}); }
    [[nodiscard]] std::filesystem::path file() const { return folder.path() / "store.db"; }

    TempDir folder;
    std::unique_ptr<Connection> writer;
    int told = 0;  // how often all of the log was said to be in the database
};

TEST_F(Checkpoint, ThatComesUpShortLeavesTheLogAsLongAsItIs) {
    const auto reader = *Connection::open(file());
    Statement look(*reader, "SELECT n FROM t");
    auto row = look.query();
    ASSERT_TRUE(row.next());  // holds what it sees
    writer->exec("INSERT INTO t VALUES (2)");
    const auto bytes = writer->wal_bytes();
    ASSERT_GT(bytes, 0);

    writer->checkpoint(/*truncate=*/false);

    EXPECT_FALSE(writer->failure());
    EXPECT_EQ(writer->wal_bytes(), bytes);
    EXPECT_EQ(told, 0) << "the reader's frames are in the log alone";
}

TEST_F(Checkpoint, ThatComesUpShortDoesNotEmptyTheLog) {
    const auto reader = *Connection::open(file());
    Statement look(*reader, "SELECT n FROM t");
    auto row = look.query();
    ASSERT_TRUE(row.next());  // holds what it sees
    writer->exec("INSERT INTO t VALUES (2)");
    const auto log = folder.path() / "store.db-wal";
    const auto bytes = std::filesystem::file_size(log);

    writer->checkpoint(/*truncate=*/true);

    EXPECT_EQ(std::filesystem::file_size(log), bytes);
    EXPECT_EQ(told, 0);
}

TEST_F(Checkpoint, OfTheWholeLogLeavesNothingInIt) {
    ASSERT_GT(writer->wal_bytes(), 0);

    writer->checkpoint(/*truncate=*/false);

    EXPECT_FALSE(writer->failure());
    EXPECT_EQ(writer->wal_bytes(), 0);
    EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace fencegate::testing
