#include "storage/copies/backups.hpp"

#include "base/file.hpp"

#include <algorithm>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <utility>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRememberedMax = 64;
constexpr std::size_t kListedMax = 1'000;
constexpr std::string_view kPart = ".part";
// 4 MiB are written out at a time; the copy waits when it is twice as far ahead.
constexpr std::int64_t kPagesWrittenOut = 1'024;

bool is_backup(std::string_view name) {
    return name.starts_with("store-") && name.ends_with(".db") &&
           name.find('/') == std::string_view::npos;
}

bool is_part(std::string_view name) {
    return name.ends_with(kPart) && is_backup(name.substr(0, name.size() - kPart.size()));
}

template <class Statuses>
bool has(const Statuses& statuses, const std::string& name) {
    return std::ranges::find(statuses, name, &BackupStatus::name) != statuses.end();
}

// 20261123T093000Z
std::string compact(WallTime time) {
    std::string text(rfc3339(time).text, 19);
    std::erase_if(text, [](char letter) { return letter == '-' || letter == ':'; });
    return text + "Z";
}

Error internal(const Error& cause) {
    return {ErrorCode::Internal, cause.detail + ". The store is as it was.", {}, -1};
}

Result<> keep(const fs::path& part, const fs::path& file) {
    if (auto done = sync_path(part); !done) return std::unexpected(internal(done.error()));
    std::error_code ec;
    fs::rename(part, file, ec);
    if (ec)
        return fail(ErrorCode::Internal, "Cannot rename " + part.string() + ": " + ec.message());
    if (auto done = sync_path(file.parent_path()); !done)
        return std::unexpected(internal(done.error()));
    return {};
}

// One of an earlier run: what the file system says about it.
BackupStatus status_of(const fs::directory_entry& entry) {
    std::error_code ec;
    BackupStatus status{.name = entry.path().filename().string(), .file = entry.path()};
    status.state = BackupState::Done;
    status.facts.bytes = static_cast<std::int64_t>(entry.file_size(ec));
    const auto written = entry.last_write_time(ec);
    status.started_at = std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::file_clock::to_sys(written));
    return status;
}

}  // namespace

std::string_view to_text(BackupState state) noexcept {
    switch (state) {
        case BackupState::Copying: return "copying";
        case BackupState::Syncing: return "syncing";
        case BackupState::Done: return "done";
        case BackupState::Failed: return "failed";
    }
    return "failed";
}

Backups::Backups(BackupOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock) {
    std::error_code ec;
    for (fs::directory_iterator at(options_.folder, ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code ignored;
        if (is_part(at->path().filename().string())) fs::remove(at->path(), ignored);
    }
    thread_ = std::thread([this] { work(); });
    ::pthread_setname_np(thread_.native_handle(), "fg-backup");
}

Backups::~Backups() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        is_given_up_ = true;
    }
    has_work_.notify_one();
    thread_.join();
}

Result<BackupStatus> Backups::begin(Engine& engine) {
    const std::lock_guard lock(mutex_);
    auto job = new_job();
    if (!job) {
        tell_if_failed(job.error());
        return std::unexpected(job.error());
    }
    job->finish = [file = job->status.file](const fs::path& part) { return keep(part, file); };
    return start(engine, *std::move(job));
}

// Somebody else's backup is running: that is no failure of one.
void Backups::tell_if_failed(const Error& error) const {
    const bool is_failure =
        error.code != ErrorCode::BackupRunning && error.code != ErrorCode::NotSupported;
    if (!is_failure || !options_.on_end) return;
    BackupStatus status;
    status.state = BackupState::Failed;
    status.started_at = clock_.wall_now();
    status.error = error;
    options_.on_end(status);
}

Result<Backups::Job> Backups::new_job() const {
    if (options_.not_supported) return fail(ErrorCode::NotSupported, *options_.not_supported);
    if (running_ && running_->is_verification)
        return fail(ErrorCode::BackupRunning, "A verification is running; one copy at a time.");
    if (running_)
        return fail(ErrorCode::BackupRunning, "A backup is being made; one at a time.",
                    {{"backup", running_->status.name}});
    auto made = MadeFolders::make(options_.folder);
    if (!made) return std::unexpected(internal(made.error()));
    if (auto room = check_room(); !room) return std::unexpected(room.error());
    made->keep();
    const auto now = clock_.wall_now();
    Job job{.status = {.name = fresh_name(now), .started_at = now}, .began = clock_.boot_now()};
    job.status.file = options_.folder / job.status.name;
    job.part = options_.folder / (job.status.name + std::string(kPart));
    return job;
}

Result<BackupStatus> Backups::start(Engine& engine, Job job) {
    if (!engine.copy_to(job.part, *this))
        return fail(ErrorCode::Draining, "The gateway is shutting down.");
    running_ = std::move(job);
    copied_.reset();
    report_.reset();
    pages_written_out_ = 0;
    return running_->status;
}

// A copy that fills the disk of the store would make it refuse payments.
Result<> Backups::check_room() const {
    std::error_code ec;
    std::uintmax_t needed = 0;
    for (const char* file : {"store.db", "store.db-wal"}) {
        const auto size = fs::file_size(options_.store_dir / file, ec);
        if (!ec) needed += size;
    }
    const auto space = fs::space(options_.folder, ec);
    if (ec || space.available > needed) return {};
    return fail(ErrorCode::StoreFull, "A backup needs " + std::to_string(needed) + " bytes in " +
                                          options_.folder.string() + ", where " +
                                          std::to_string(space.available) + " are free.");
}

std::string Backups::fresh_name(WallTime now) const {
    const auto base = "store-" + compact(now) + "-";
    std::error_code ec;
    for (int number = 1;; ++number) {
        auto name = base + std::to_string(number) + ".db";
        const bool is_taken = has(ended_, name);
        if (!is_taken && !fs::exists(options_.folder / name, ec)) return name;
    }
}

bool Backups::takes_more() {
    const std::lock_guard lock(mutex_);
    return running_->status.progress.pages_done - pages_written_out_ < 2 * kPagesWrittenOut;
}

void Backups::on_copy_progress(CopyProgress progress) {
    bool is_much = false;
    {
        const std::lock_guard lock(mutex_);
        running_->status.progress = progress;
        // It began anew.
        pages_written_out_ = std::min(pages_written_out_, progress.pages_done);
        is_much = has_piled_up();
    }
    if (is_much) has_work_.notify_one();
}

bool Backups::has_piled_up() const {
    return running_ && running_->status.state == BackupState::Copying &&
           running_->status.progress.pages_done - pages_written_out_ >= kPagesWrittenOut;
}

void Backups::on_copied(Result<CopyFacts> facts) {
    {
        const std::lock_guard lock(mutex_);
        if (facts) running_->status.facts = *facts;
        running_->status.state = BackupState::Syncing;
        copied_ = std::move(facts);
    }
    has_work_.notify_one();
}

void Backups::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        has_work_.wait(lock, [this] { return copied_ || has_piled_up() || is_stopping_; });
        if (copied_) {
            end(lock);
        } else if (has_piled_up()) {
            write_out(lock);
        } else {
            return;
        }
    }
}

// Not durable yet, only on its way: what fails here fails again when it is synced.
void Backups::write_out(std::unique_lock<std::mutex>& lock) {
    const auto reached = running_->status.progress.pages_done;
    const auto part = running_->part;
    lock.unlock();
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        ::sync_file_range(
            descriptor, 0, 0,
            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
        ::close(descriptor);
    }
    lock.lock();
    pages_written_out_ = reached;
}

void Backups::end(std::unique_lock<std::mutex>& lock) {
    const auto copied = std::exchange(copied_, std::nullopt);
    const auto finish = running_->finish;
    const auto part = running_->part;
    lock.unlock();
    const auto done = *copied ? finish(part) : Result<>(std::unexpected(copied->error()));
    std::error_code ignored;
    if (!done) fs::remove(part, ignored);
    lock.lock();
    auto status = status_of(*running_);
    status.state = done ? BackupState::Done : BackupState::Failed;
    if (!done) status.error = done.error();
    const bool is_verification = running_->is_verification;
    running_.reset();
    is_verification ? end_verification(lock, std::move(status))
                    : end_backup(lock, std::move(status));
}

void Backups::end_backup(std::unique_lock<std::mutex>& lock, BackupStatus status) {
    ended_.push_front(status);
    if (ended_.size() > kRememberedMax) ended_.pop_back();
    lock.unlock();
    if (options_.on_end) options_.on_end(status);
    lock.lock();
}

BackupStatus Backups::status_of(const Job& job) const {
    auto status = job.status;
    status.took = Duration(ms_between(job.began, clock_.boot_now()));
    return status;
}

Result<BackupStatus> Backups::find(const std::string& name) const {
    {
        const std::lock_guard lock(mutex_);
        if (running_ && !running_->is_verification && running_->status.name == name)
            return status_of(*running_);
        const auto ended = std::ranges::find(ended_, name, &BackupStatus::name);
        if (ended != ended_.end()) return *ended;
    }
    std::error_code ec;
    const fs::directory_entry entry(options_.folder / name, ec);
    if (!ec && is_backup(name) && entry.is_regular_file(ec)) return storage::status_of(entry);
    return fail(ErrorCode::BackupNotFound, "There is no backup of this name.");
}

std::vector<BackupStatus> Backups::list() const {
    std::vector<BackupStatus> all;
    {
        const std::lock_guard lock(mutex_);
        if (running_ && !running_->is_verification) all.push_back(status_of(*running_));
        all.insert(all.end(), ended_.begin(), ended_.end());
    }
    std::error_code ec;
    // What somebody has deleted since is no backup any more.
    std::erase_if(all, [&](const auto& status) {
        return status.state == BackupState::Done && !fs::exists(status.file, ec);
    });
    for (fs::directory_iterator at(options_.folder, ec), end; !ec && at != end; at.increment(ec)) {
        const auto name = at->path().filename().string();
        if (is_backup(name) && !has(all, name)) all.push_back(storage::status_of(*at));
    }
    std::ranges::sort(all, std::ranges::greater{},
                      [](const auto& status) { return std::pair(status.started_at, status.name); });
    if (all.size() > kListedMax) all.resize(kListedMax);
    return all;
}

}  // namespace fencegate::storage
