#pragma once
// Backups: copies of the store, made while it serves, in a folder of their own. The engine copies
// between its batches; what takes as long as the copy is large (its sync, its name) happens here,
// on a thread of its own. One at a time.
//
//   copying  store-20261123T093000Z-1.db.part grows
//   syncing  all of it is there, not yet on the disk
//   done     store-20261123T093000Z-1.db: synced, and so is its name
//   failed   the .part is gone; the store is as it was
//
// A verification is a copy like that, on which `verify` is run and which is then deleted: the store
// goes on serving, and its disk needs room for a backup. It counts as one of the "one at a time".
//
//   copying, checking (told as syncing here), done with a report, or failed
//
// Owns: the folder, the names in it, the thread. Never deletes a finished backup.
// Thread rule: any thread. The engine's calls come on its own thread and only note what they say.
// Errors: a backup's are told with it and never harm the store.

#include "base/clock.hpp"
#include "storage/model/engine.hpp"
#include "storage/verify/verify.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fencegate::storage {

enum class BackupState : std::uint8_t { Copying, Syncing, Done, Failed };
[[nodiscard]] std::string_view to_text(BackupState state) noexcept;

struct BackupStatus {
    std::string name{};
    std::filesystem::path file{};
    BackupState state = BackupState::Copying;
    CopyProgress progress{};
    CopyFacts facts{};  // all 0 for one of an earlier run, except the bytes
    WallTime started_at{};
    Duration took{};  // so far, or in all
    std::optional<Error> error{};
};

struct Verification {
    BackupStatus copy{};  // what was looked at, and how far it is. The file is gone in the end
    std::optional<VerifyReport> report{};  // once it is done
};

struct BackupOptions {
    std::filesystem::path folder;     // made with the first backup
    std::filesystem::path store_dir;  // to know how much room a copy needs
    // Called when one is done or has failed, on the thread of this; on that of whoever asked, with
    // no name, when the folder or its disk let none begin.
    std::function<void(const BackupStatus&)> on_end{};
    std::function<void(const Verification&)> on_verified{};
    // Set where the engine's store is no file: why, and what to do instead.
    std::optional<std::string> not_supported{};
};

class Backups final : public CopySink {
public:
    // Removes what an earlier run left unfinished. `clock` outlives this.
    Backups(BackupOptions options, const Clock& clock);
    // Finishes what the engine has copied. REQUIRES: the engine has stopped.
    ~Backups() override;

    // Begins one. Fails with: BackupRunning, StoreFull (no room for it), Draining, Internal,
    // NotSupported.
    [[nodiscard]] Result<BackupStatus> begin(Engine& engine);

    // Begins a verification. Fails with: as begin().
    [[nodiscard]] Result<Verification> begin_verification(Engine& engine,
                                                          std::optional<JournalHead> expected_head);
    struct Verifications {
        std::optional<Verification> running{};
        std::optional<Verification> last{};  // of this run that ended
    };
    [[nodiscard]] Verifications verifications() const;

    // Fails with: BackupNotFound.
    [[nodiscard]] Result<BackupStatus> find(const std::string& name) const;
    // Newest first: those in the folder, and those of this run that failed. A thousand at most.
    [[nodiscard]] std::vector<BackupStatus> list() const;

    [[nodiscard]] bool takes_more() override;
    void on_copy_progress(CopyProgress progress) override;
    void on_copied(Result<CopyFacts> facts) override;

private:
    // What happens to a copy that is complete, on the thread of this.
    using Finish = std::function<Result<>(const std::filesystem::path& part)>;
    struct Job {
        BackupStatus status{};
        std::filesystem::path part{};
        Finish finish{};
        BootTime began{};
        bool is_verification = false;
    };

    // Fills in the names. Fails with: BackupRunning, StoreFull, Internal. REQUIRES: the mutex is
    // held, for this and the next.
    [[nodiscard]] Result<Job> new_job() const;
    void tell_if_failed(const Error& error) const;
    [[nodiscard]] Result<BackupStatus> start(Engine& engine, Job job);
    [[nodiscard]] Result<> check_room() const;
    // Fails with: StoreFull, Draining, Internal.
    [[nodiscard]] Result<> check(const std::filesystem::path& part,
                                 const std::optional<JournalHead>& expected_head);
    [[nodiscard]] std::string fresh_name(WallTime now) const;
    void work();
    [[nodiscard]] bool has_piled_up() const;  // REQUIRES: the mutex is held
    void write_out(std::unique_lock<std::mutex>& lock);
    void end(std::unique_lock<std::mutex>& lock);
    void end_backup(std::unique_lock<std::mutex>& lock, BackupStatus status);
    void end_verification(std::unique_lock<std::mutex>& lock, BackupStatus status);
    [[nodiscard]] BackupStatus status_of(const Job& job) const;

    const BackupOptions options_;
    const Clock& clock_;
    mutable std::mutex mutex_;  // guards what follows; held for moves only
    std::condition_variable has_work_;
    std::optional<Job> running_;
    std::int64_t pages_written_out_ = 0;       // of the running one
    std::optional<Result<CopyFacts>> copied_;  // the same
    std::deque<BackupStatus> ended_;           // of this run, newest first
    std::optional<VerifyReport> report_;       // of the running verification
    std::optional<Verification> verified_;     // the last one of this run
    bool is_stopping_ = false;
    std::atomic<bool> is_given_up_ = false;  // what verifies looks at it without the mutex
    std::thread thread_;
};

}  // namespace fencegate::storage
