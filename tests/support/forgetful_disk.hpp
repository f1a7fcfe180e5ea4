#pragma once
// ForgetfulDisk: SQLite's view of a disk that can lose its power. An SQLite VFS over the ordinary
// one: everything is written through, and what has not been synced is remembered, so that a power
// cut can take any part of it back. Also the place to inject failing writes and full disks.
//
// While an object lives it is SQLite's default VFS, so production code opens its files through it.
// It also takes the place of fsync() and fdatasync() for all of this program, SQLite and the
// standard library included: nobody waits for the real disk, and in the folders that are watched
// names are forgotten too (durable_names.hpp).
// Owns: the record of unsynced writes. Refuses to own: the shared-memory index, which passes
// through and which a power cut removes.
// Thread rule: one thread writes, one object at a time; any thread may sync. Errors: those it is
// told to inject.

#include "tests/support/durable_names.hpp"
#include "tests/support/seeded_random.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

struct sqlite3_vfs;

namespace fencegate::testing {

class ForgetfulDisk {
public:
    ForgetfulDisk();
    ~ForgetfulDisk();
    ForgetfulDisk(const ForgetfulDisk&) = delete;
    ForgetfulDisk& operator=(const ForgetfulDisk&) = delete;

    // The names in this folder and below are forgotten as well, and every sync counts, whoever
    // makes it: see DurableNames.
    void watch(const std::filesystem::path& folder, DurableNames::Now now);

    // Writes, truncations and syncs are counted from here, from 1. The n-th and all after it fail;
    // it may have happened in part, as power_cut() decides.
    void lose_power_at(std::size_t operation);
    // The n-th to the (n + times - 1)-th fail with SQLite's `code` and change nothing. A sync fails
    // only with an I/O error, whatever `code` says: a full disk is met by writes.
    void fail_at(std::size_t operation, int code, std::size_t times = 1);
    void be_sound();
    [[nodiscard]] bool has_struck() const noexcept { return struck_ > 0; }
    [[nodiscard]] std::size_t strikes() const noexcept { return struck_; }
    // Whether a fault is still ahead or was there.
    [[nodiscard]] bool is_planned() const noexcept { return strike_at_ > 0; }
    [[nodiscard]] std::size_t operations() const noexcept { return counted_; }

    // From now on a sync succeeds and does nothing: the broken disk of the negative control.
    void lie_about_syncs() noexcept { is_lying_ = true; }

    // The next syncs end with EINTR, as where a signal comes on a disk in the network.
    void interrupt_syncs(std::size_t times) noexcept { interrupts_ = times; }

    // Called in every sync, before it succeeds or fails: a slow disk lets time pass here.
    void on_sync(std::function<void()> wait) { wait_ = std::move(wait); }

    // REQUIRES: no file is open. Every tracked file then holds what was synced and what `remains`.
    void power_cut(Remains remains, SeededRandom& random);

    // What the VFS's files call; `file` is a name that the file keeps.
    enum class Verdict : std::uint8_t { Proceed, Fail, ProceedAndFail };
    struct Change {
        std::string file;
        std::int64_t offset = 0;
        std::vector<char> before;  // what was there, as far as the file reached
        std::vector<char> after;   // empty for a truncation to `offset`
        std::int64_t size_before = 0;
        bool is_truncation = false;
    };
    [[nodiscard]] Verdict count(bool is_sync);
    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] bool is_dead() const noexcept { return is_power_plan_ && struck_ > 0; }
    void remember(Change change) { unsynced_.push_back(std::move(change)); }
    [[nodiscard]] const char* opened(const char* name);
    // The sync of one of them, which has been counted.
    [[nodiscard]] int sync_below(const std::function<int()>& sync);

    // In the place of fsync(): 0, or what errno becomes.
    [[nodiscard]] int sync_any(int descriptor);

private:
    struct Vfs;
    std::unique_ptr<Vfs> vfs_;
    std::recursive_mutex mutex_;
    DurableNames names_;
    std::set<std::string> opened_;  // the VFS's files, by the name that each keeps
    std::set<std::string> indexes_;
    std::vector<Change> unsynced_;
    std::function<void()> wait_;
    std::size_t counted_ = 0;
    std::size_t strike_at_ = 0;  // 0: never
    std::size_t strikes_ = 0;
    std::size_t struck_ = 0;
    std::size_t interrupts_ = 0;
    int code_ = 0;
    bool is_below_ = false;  // in a sync that has been counted
    bool is_power_plan_ = false;
    bool is_lying_ = false;
};

}  // namespace fencegate::testing
