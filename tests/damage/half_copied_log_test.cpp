// A gateway ended while it copied its log into the store, and then a frame of the log was damaged:
// the store without its log is newer than what can be read of the log, and is torn nevertheless.
#include "storage/copies/restore.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/page_seal.hpp"
#include "storage/sqlite/tail_note.hpp"
#include "storage/sqlite/verify_store.hpp"
#include "tests/support/store_harness.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;
using storage::sqlite::kFilePageBytes;

constexpr int kPayments = 12;

class HalfCopiedLog : public ::testing::Test {
protected:
    HalfCopiedLog() {
        for (int number = 0; number < kPayments; ++number)
            killed.create("pay_" + std::to_string(number), 500);
        killed.store.reset();
        fs::copy(killed.folder(), copied(), fs::copy_options::recursive);
        const auto opened = storage::sqlite::Connection::open(copied() / "store.db");
        EXPECT_TRUE(opened);
        (*opened)->exec("PRAGMA locking_mode = EXCLUSIVE; SELECT count(*) FROM store");
        (*opened)->checkpoint(/*truncate=*/false);
        EXPECT_FALSE((*opened)->failure());
        pages = static_cast<int>(fs::file_size(copied() / "store.db") / kFilePageBytes);
        frames = storage::sqlite::read_tail_note(killed.folder() / "store.db")->frames;
    }

    [[nodiscard]] fs::path copied() const { return folders / "copied"; }

    // SQLite copies pages in the order of their numbers.
    [[nodiscard]] fs::path ended_after(int count) const {
        auto folder = folders / "ended";
        fs::remove_all(folder);
        fs::copy(killed.folder(), folder, fs::copy_options::recursive);
        std::ifstream from(copied() / "store.db", std::ios::binary);
        std::vector<char> bytes(static_cast<std::size_t>(count) * kFilePageBytes);
        from.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        std::fstream to(folder / "store.db", std::ios::binary | std::ios::in | std::ios::out);
        to.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return folder;
    }

    static void flip_in_frame(const fs::path& folder, std::int64_t number) {
        std::fstream log(folder / "store.db-wal", std::ios::binary | std::ios::in | std::ios::out);
        const auto at = storage::sqlite::frame_offset(number, kFilePageBytes) + 100;
        log.seekg(at);
        const auto byte = static_cast<char>(log.get() ^ 0x10);
        log.seekp(at);
        log.put(byte);
    }

    // Of the rows and pages: that the store is behind its marks is told.
    static std::string fault_of(const fs::path& folder) {
        const auto report =
            storage::verify_store(folder / "store.db", {.holds_against_marks = false});
        if (!report) return report.error().detail;
        for (const auto& check : report->checks) {
            if (check.faults > 0) return std::string(check.name) + ": " + check.first.front();
        }
        return {};
    }

    StoreHarness killed;
    TempDir folders;
    int pages = 0;
    std::int64_t frames = 0;
};

TEST_F(HalfCopiedLog, IsNotDroppedForAStoreThatIsTornWithoutIt) {
    int refused = 0;
    int restored_whole = 0;
    for (int count = 0; count <= pages; count += 3) {
        for (std::int64_t frame = 1; frame <= frames; frame += 8) {
            SCOPED_TRACE(std::to_string(count) + " pages, frame " + std::to_string(frame));
            const auto folder = ended_after(count);
            flip_in_frame(folder, frame);

            const auto restored = storage::restore_store({.data_dir = folder}, WallTime{});

            ++(restored ? restored_whole : refused);
            if (!restored) continue;
            EXPECT_EQ(fault_of(folder), "") << "lost: " << restored->lost;
        }
    }
    EXPECT_GT(refused, 20);
    EXPECT_GT(restored_whole, 5) << "nothing was copied yet, or all of it was";
}

}  // namespace
}  // namespace fencegate::testing
