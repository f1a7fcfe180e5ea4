// Verifications: copies that are looked at and thrown away; see backups.hpp.
#include "base/start_failure.hpp"
#include "storage/copies/backups.hpp"
#include "storage/sqlite/verify_store.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace fencegate::storage {
namespace {

// It reads and computes for as long as the store is large. Payments come first.
constexpr int kNiceness = 10;

Result<VerifyReport> verify_politely(const std::filesystem::path& file,
                                     const VerifyOptions& options) {
    Result<VerifyReport> report = fail(ErrorCode::Internal, "Nothing was verified.");
    std::thread verifier([&] {
        ::pthread_setname_np(::pthread_self(), "fg-verify");
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);  // as good as it can
        report = verify_store(file, options);
    });
    verifier.join();
    return report;
}

// The errors of a start mean nothing to who asks a running gateway.
Error as_answer(Error error) {
    const auto failure = start_failure_of(error);
    if (!failure) return error;
    return {failure == StartFailure::CannotCreate ? ErrorCode::StoreFull : ErrorCode::Internal,
            std::move(error.detail),
            {},
            -1};
}

}  // namespace

Result<Verification> Backups::begin_verification(Engine& engine,
                                                 std::optional<JournalHead> expected_head) {
    const std::lock_guard lock(mutex_);
    auto job = new_job();
    if (!job) return std::unexpected(job.error());
    job->is_verification = true;
    job->finish = [this, expected_head](const std::filesystem::path& part) {
        return check(part, expected_head);
    };
    auto begun = start(engine, *std::move(job));
    if (!begun) return std::unexpected(begun.error());
    return Verification{.copy = *std::move(begun)};
}

// Without the mutex: it takes long.
Result<> Backups::check(const std::filesystem::path& part,
                        const std::optional<JournalHead>& expected_head) {
    auto report =
        verify_politely(part, {.expected_head = expected_head, .is_given_up = &is_given_up_});
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    if (!report) return std::unexpected(as_answer(std::move(report.error())));
    const std::lock_guard lock(mutex_);
    report_ = *std::move(report);
    return {};
}

void Backups::end_verification(std::unique_lock<std::mutex>& lock, BackupStatus status) {
    const Verification ended{.copy = std::move(status),
                             .report = std::exchange(report_, std::nullopt)};
    verified_ = ended;
    lock.unlock();
    if (options_.on_verified) options_.on_verified(ended);
    lock.lock();
}

Backups::Verifications Backups::verifications() const {
    const std::lock_guard lock(mutex_);
    Verifications all{.last = verified_};
    if (running_ && running_->is_verification) all.running = Verification{status_of(*running_)};
    return all;
}

}  // namespace fencegate::storage
