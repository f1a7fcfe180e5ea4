#include "tests/simulation/disk_ground.hpp"

#include "storage/copies/restore.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "tests/crash/store_invariants.hpp"
#include "tests/simulation/violation.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace fencegate::simulation {
namespace {

constexpr std::uint64_t kSoon = 30;  // writes and syncs; a batch has about ten

using Bytes = std::vector<char>;

// In memory where there is such a folder: a run is a thousand writes and none has to last.
std::filesystem::path scratch_folder() {
    std::error_code ec;
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory, ec) ? memory
                                                     : std::filesystem::temp_directory_path();
}

Bytes read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_file(const std::filesystem::path& file, const Bytes& bytes) {
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

DiskGround::DiskGround(const Options& options, testing::SeededRandom& random, Trace& trace,
                       MidCommit mid_commit)
    : random_(random), trace_(trace), folder_(scratch_folder()) {
    disk_.on_sync(std::move(mid_commit));
    // SQLite salts its log with numbers of its own: they come from the seed as well.
    ::sqlite3_initialize();
    ::sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(options.seed | 1), nullptr);
    ::sqlite3_randomness(0, nullptr);
}

std::unique_ptr<storage::Store> DiskGround::open(const Clock& clock) {
    auto lock = storage::sqlite::FolderLock::take(folder_.path());
    if (!lock) throw Violation(Rule::Answer, "the folder is locked: " + lock.error().detail);
    auto opened = storage::sqlite::open_database(folder_.path());
    if (!opened) {
        if (disk_.has_struck()) return nullptr;
        throw Violation(Rule::S5Durable, "the store cannot be opened: " + opened.error().detail);
    }
    connection_ = opened->get();
    return std::make_unique<storage::sqlite::SqliteStore>(*std::move(lock), *std::move(opened),
                                                          clock);
}

void DiskGround::serve() {
    be_sound();
    rows_ = std::make_unique<SqliteRows>(*connection_);
}

void DiskGround::check_what_is_left() {
    const auto broken = testing::broken_invariants(folder_ / "store.db");
    if (!broken.empty()) throw Violation(Rule::Money, broken.front());
}

void DiskGround::fail_soon() { disk_.fail_at(1 + random_.below(kSoon), 0); }

void DiskGround::fill() {
    disk_.fail_at(1 + random_.below(8), SQLITE_FULL, 1 + random_.below(120));
}

void DiskGround::lose_power() {
    const auto remains = static_cast<testing::Remains>(random_.below(testing::kRemainsCount));
    trace_.count("fault: power cut");
    trace_.add(text_of("power cut, remains ", static_cast<int>(remains)));
    disk_.power_cut(remains, random_);
}

void DiskGround::lose_power_soon(std::uint64_t operations) {
    disk_.lose_power_at(1 + random_.below(operations));
}

bool DiskGround::checkpoint(bool empties_log) {
    connection_->checkpoint(empties_log);
    const auto failure = connection_->failure();
    connection_->clear_failure();
    return !failure || failure->kind == storage::Failure::Kind::Full;
}

void DiskGround::back_up() {
    backup_ = Files{.database = read_file(folder_ / "store.db"),
                    .log = read_file(folder_ / "store.db-wal")};
}

void DiskGround::restore(std::int64_t epoch_above, WallTime now) {
    // The files are replaced: nothing of the old ones can come back after a power cut.
    disk_.power_cut(testing::Remains::Everything, random_);
    std::filesystem::remove(folder_ / "store.db-shm");
    write_file(folder_ / "store.db", backup_->database);
    write_file(folder_ / "store.db-wal", backup_->log);
    const auto restored =
        storage::restore_store({.data_dir = folder_.path(), .epoch_above = epoch_above}, now);
    if (!restored)
        throw Violation(Rule::S5Durable, "the restore failed: " + restored.error().detail);
}

}  // namespace fencegate::simulation
