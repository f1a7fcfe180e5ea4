#include "base/file.hpp"

#include "base/start_failure.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fencegate {
namespace {

using std::filesystem::perms;

class FileTest : public ::testing::Test {
protected:
    FileTest() : umask_before_(::umask(022)) {}
    ~FileTest() override { ::umask(umask_before_); }

    [[nodiscard]] std::size_t files_in_folder() const {
        const auto begin = std::filesystem::directory_iterator(folder_.path());
        return static_cast<std::size_t>(
            std::distance(begin, std::filesystem::directory_iterator()));
    }

    testing::TempDir folder_;

private:
    ::mode_t umask_before_;
};

perms mode_of(const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions();
}

TEST_F(FileTest, WhatIsWrittenIsRead) {
    const std::string content("a\0b\n", 4);

    ASSERT_TRUE(write_file_atomically(folder_ / "f", content, FileMode::Public));

    EXPECT_EQ(read_file(folder_ / "f", 100), content);
}

TEST_F(FileTest, ContentLongerThanOneBlockSurvives) {
    const std::string content(100'000, 'x');

    ASSERT_TRUE(write_file_atomically(folder_ / "f", content, FileMode::Public));

    EXPECT_EQ(read_file(folder_ / "f", content.size()), content);
}

TEST_F(FileTest, SecretFileIsForItsOwnerOnly) {
    ASSERT_TRUE(write_file_atomically(folder_ / "secret", "s", FileMode::Secret));
    ASSERT_TRUE(write_file_atomically(folder_ / "public", "p", FileMode::Public));

    EXPECT_EQ(mode_of(folder_ / "secret"), perms(0600));
    EXPECT_EQ(mode_of(folder_ / "public"), perms(0644));
}

TEST_F(FileTest, SecretReplacingAPublicFileIsSecret) {
    ASSERT_TRUE(write_file_atomically(folder_ / "f", "old", FileMode::Public));

    ASSERT_TRUE(write_file_atomically(folder_ / "f", "new", FileMode::Secret));

    EXPECT_EQ(mode_of(folder_ / "f"), perms(0600));
}

TEST_F(FileTest, ReplacingLeavesNoTemporaryBehind) {
    ASSERT_TRUE(write_file_atomically(folder_ / "f", "old", FileMode::Public));
    ASSERT_TRUE(write_file_atomically(folder_ / "f", "new", FileMode::Public));

    EXPECT_EQ(read_file(folder_ / "f", 100), "new");
    EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(FileTest, FailedWriteLeavesNothingBehindAndNamesTheFile) {
    std::filesystem::create_directory(folder_ / "taken");

    const auto written = write_file_atomically(folder_ / "taken", "x", FileMode::Public);

    ASSERT_FALSE(written);
    EXPECT_EQ(start_failure_of(written.error()), StartFailure::CannotCreate);
    EXPECT_NE(written.error().detail.find("taken"), std::string::npos);
    EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(FileTest, WriterHoldingTheOldFileOpenKeepsTheOldContent) {
    ASSERT_TRUE(write_file_atomically(folder_ / "f", "old", FileMode::Public));
    std::filesystem::create_hard_link(folder_ / "f", folder_ / "old-inode");

    ASSERT_TRUE(write_file_atomically(folder_ / "f", "new", FileMode::Public));

    EXPECT_EQ(read_file(folder_ / "old-inode", 100), "old");
}

TEST_F(FileTest, MissingFileIsCannotRead) {
    const auto content = read_file(folder_ / "absent", 100);

    ASSERT_FALSE(content);
    EXPECT_EQ(start_failure_of(content.error()), StartFailure::CannotRead);
    EXPECT_NE(content.error().detail.find("absent"), std::string::npos);
}

TEST_F(FileTest, FileOverTheLimitIsRefused) {
    ASSERT_TRUE(write_file_atomically(folder_ / "f", "12345", FileMode::Public));

    EXPECT_TRUE(read_file(folder_ / "f", 5));
    EXPECT_FALSE(read_file(folder_ / "f", 4));
}

TEST_F(FileTest, PrivateDirectoryIsMadeWithItsParentsAndKeptWhenThere) {
    const auto path = folder_ / "a/b/c";

    ASSERT_TRUE(make_private_directory(path));
    EXPECT_EQ(mode_of(path), perms(0700));
    std::filesystem::permissions(path, perms(0750));
    ASSERT_TRUE(make_private_directory(path));

    EXPECT_EQ(mode_of(path), perms(0750));
}

TEST_F(FileTest, PrivateDirectoryWithATrailingSlashIsMade) {
    ASSERT_TRUE(make_private_directory((folder_ / "data").string() + "/"));

    EXPECT_EQ(mode_of(folder_ / "data"), perms(0700));
}

TEST_F(FileTest, FileInTheWayOfADirectoryIsCannotCreate) {
    ASSERT_TRUE(write_file_atomically(folder_ / "f", "x", FileMode::Public));

    const auto made = make_private_directory(folder_ / "f");

    ASSERT_FALSE(made);
    EXPECT_EQ(start_failure_of(made.error()), StartFailure::CannotCreate);
}

bool somebody_holds(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR);
    const bool is_held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
    ::close(descriptor);
    return is_held;
}

TEST_F(FileTest, LockIsHeldUntilItsScopeEnds) {
    {
        auto lock = FileLock::acquire(folder_ / "lock");
        ASSERT_TRUE(lock);
        lock->keep();
        EXPECT_TRUE(somebody_holds(folder_ / "lock"));
    }

    EXPECT_FALSE(somebody_holds(folder_ / "lock"));
}

TEST_F(FileTest, WhatAFailedCommandMadeIsRemovedAndNothingElse) {
    ASSERT_TRUE(make_private_directory(folder_ / "there"));
    {
        const auto made = MadeFolders::make(folder_ / "there/a/b");
        ASSERT_TRUE(made);
        const auto lock = FileLock::acquire(folder_ / "there/a/b/lock");
        ASSERT_TRUE(lock);
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "there"));

    {
        const auto made = MadeFolders::make(folder_ / "there/a/b");
        ASSERT_TRUE(made);
        ASSERT_TRUE(write_file_atomically(folder_ / "there/a/f", "x", FileMode::Public));
    }
    EXPECT_TRUE(std::filesystem::exists(folder_ / "there/a/f"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "there/a/b"));
}

TEST_F(FileTest, ALockFileThatWasThereOrIsKeptStays) {
    {
        auto lock = FileLock::acquire(folder_ / "lock");
        ASSERT_TRUE(lock);
        lock->keep();
    }
    EXPECT_TRUE(std::filesystem::exists(folder_ / "lock"));

    ASSERT_TRUE(FileLock::acquire(folder_ / "lock"));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "lock"));
}

// Whoever waited for it holds a file that has its name.
TEST_F(FileTest, ALockIsNeverOfAFileThatWasRemoved) {
    std::vector<std::jthread> threads;
    std::atomic<int> holders{0};
    std::atomic<int> most{0};
    for (int at = 0; at < 4; ++at) {
        threads.emplace_back([&] {
            for (int round = 0; round < 200; ++round) {
                const auto lock = FileLock::acquire(folder_ / "lock");
                if (!lock || ++holders > 1) ++most;
                --holders;
            }
        });
    }
    threads.clear();

    EXPECT_EQ(most, 0);
}

TEST_F(FileTest, APipeIsNoFileAndNobodyWaitsForIt) {
    ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);

    const auto content = read_file(folder_ / "pipe", 100);

    ASSERT_FALSE(content);
    EXPECT_EQ(start_failure_of(content.error()), StartFailure::CannotRead);
    EXPECT_NE(content.error().detail.find("it is not a file"), std::string::npos);
    EXPECT_FALSE(sync_path(folder_ / "pipe"));
}

TEST_F(FileTest, WhatIsHandedOverIsReadFromAPipeToo) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "secret", 6), 6);
    ::close(ends[1]);

    EXPECT_EQ(read_file("/dev/fd/" + std::to_string(ends[0]), 100), "secret");
    ::close(ends[0]);
}

}  // namespace
}  // namespace fencegate
