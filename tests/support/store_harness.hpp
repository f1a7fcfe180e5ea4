#pragma once
// StoreHarness: the production store on a real file, driven directly: no thread, a manual clock, a
// seeded generator. Each call is one batch unless batched by hand. Can be reopened, as after a
// crash. Thread rule: one thread.

#include "storage/batch/batcher.hpp"
#include "storage/sqlite/connection.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/seeded_random.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::testing {

class RecordingObserver final : public storage::StoreObserver {
public:
    void on_events(const std::vector<storage::StoreEvent>& events) override;
    void on_notices(std::vector<storage::LockNotice> more) override;
    void on_contentions(const std::vector<storage::Contention>& more) override;
    void on_levels(std::size_t lock_class, const storage::ClassLevels& now) override;
    void on_deadlocks(std::size_t count) override;
    void on_batch(const storage::BatchStats& stats) override;
    void on_checkpoint(storage::Seconds seconds) override;
    void on_error(storage::StoreError error) override;
    void on_damage(const std::string& what) override;
    void on_clock_jump(const ClockJump& jump) override;

    std::vector<storage::StoreEvent> all;
    std::vector<storage::LockNotice> notices;
    std::vector<storage::Contention> contentions;
    std::map<std::size_t, storage::ClassLevels> levels;
    std::vector<storage::StoreError> errors;
    std::vector<std::string> damages;
    std::vector<ClockJump> jumps;
    storage::BatchStats last_batch;
    int checkpoints = 0;
    std::size_t deadlocks = 0;
};

struct AcquireOptions {
    std::string owner = "a";
    std::int64_t ttl_ms = 1'000;
    std::int64_t wait_ms = 0;
    std::string key{};  // empty: none
    std::string principal = "worker";
    lockmgr::Claim claim{};
    std::vector<std::string> also{};  // further locks of the same lease
};

struct RefundOptions {
    std::optional<std::int64_t> amount = 100;
    std::string key = "refund-1";
    std::string principal = "worker";
    std::optional<lockmgr::TokenFault> fault{};  // instead of a token
};

class StoreHarness {
public:
    explicit StoreHarness(
        std::vector<lockmgr::LockClass> classes = {{.name = "payments"}},
        storage::Retention retention = {},
        const std::filesystem::path& parent = std::filesystem::temp_directory_path());
    ~StoreHarness();
    StoreHarness(const StoreHarness&) = delete;
    StoreHarness& operator=(const StoreHarness&) = delete;

    // What a crash leaves: the object is dropped without a checkpoint and the file opened again.
    void reopen();
    // The same, with other lock classes in the configuration.
    void reopen(std::vector<lockmgr::LockClass> classes);

    // One batch of one command; nothing if it waits.
    std::optional<storage::Answer> run(storage::Operation operation,
                                       std::string principal = "worker");
    // The same of a write that ends the lease it is made under, as with X-Fence-Release.
    storage::Answer run_and_release(storage::Operation operation, std::string principal = "worker");
    // One batch of many: answers by ticket, those of waiters among them.
    std::map<std::uint64_t, storage::Answer> run_batch(std::vector<storage::Operation> operations,
                                                       std::string principal = "worker",
                                                       bool releases = false);
    // A batch of nothing: timers run.
    std::map<std::uint64_t, storage::Answer> tick(Duration advance);

    std::optional<storage::Answer> acquire(std::string_view lock, AcquireOptions options = {});
    storage::Answer release(const storage::Answer& grant, std::string principal = "worker");
    storage::Answer renew(const storage::Answer& grant, std::optional<std::int64_t> ttl_ms = {});
    storage::Answer create(std::string id, std::int64_t amount, bool capture = true);
    // "pay_0" and so on, captured, of about two kilobytes each with its answer; one batch.
    void fill(int payments);
    storage::Answer refund(std::string id, Token token, RefundOptions options = {});
    storage::Answer refund_and_release(std::string id, Token token, RefundOptions options = {});
    storage::Answer payment(std::string id);
    storage::Answer lock(std::string_view name);

    [[nodiscard]] static storage::Operation acquire_of(std::string_view lock,
                                                       const AcquireOptions& options = {});
    [[nodiscard]] static storage::Operation refund_of(std::string id, Token token,
                                                      const RefundOptions& options = {});

    // First column of the first row of a query.
    std::int64_t number(const char* sql);

    [[nodiscard]] std::uint64_t last_ticket() const noexcept { return last_ticket_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

    ManualClock clock;
    RecordingObserver observer;
    std::unique_ptr<storage::Batcher> store;
    storage::sqlite::Connection* connection = nullptr;  // the store's own, for sabotage

private:
    void open();

    TempDir folder_;
    SeededRandom random_;
    std::vector<lockmgr::LockClass> classes_;
    storage::Retention retention_;
    std::uint64_t last_ticket_ = 0;
};

[[nodiscard]] storage::Idempotency idempotency(std::string_view key, std::string_view body = "");
[[nodiscard]] ErrorCode code_of(const storage::Answer& answer);  // aborts on success

}  // namespace fencegate::testing
