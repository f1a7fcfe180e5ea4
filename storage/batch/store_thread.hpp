#pragma once
// StoreThread: the embedded engine. One thread, one bounded queue, group commit: whatever has
// queued up while the last batch synced becomes the next batch, so under load many commands share
// one fsync and an idle store answers at once.
// Long reads wait in a line of their own, and a slice of it is served between two batches: whoever
// pages through the journal, a thousand at once even, holds up no write for longer than a slice.
// Thread rule: the Engine methods may be called from any thread; the store belongs to the thread
// this owns. The mutex guards the inbox only and is never held while the store works. load() takes
// no lock: what it tells may be of two moments.

#include "storage/batch/batcher.hpp"
#include "storage/model/engine.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace fencegate::storage {

class StoreThread final : public Engine {
public:
    // Starts the thread.
    StoreThread(EngineOptions options, const Clock& clock, std::unique_ptr<Batcher> store);
    ~StoreThread() override;

    [[nodiscard]] Submission submit(Request request) override;
    void cancel(Ticket ticket) override;
    [[nodiscard]] bool copy_to(std::filesystem::path file, CopySink& sink) override;
    void ask_for_life() override;
    void drain() override;
    [[nodiscard]] EngineLoad load() const noexcept override;
    void stop() override;

private:
    struct Inbox {  // guarded by mutex_
        std::vector<Request> requests;
        std::vector<Ticket> cancelled;
        std::filesystem::path copy_to;  // empty: no copy is asked for
        bool wants_life = false;        // a sign of it
        bool drain = false;
        bool stop = false;
        bool is_closed = false;   // nothing is taken any more
        bool has_failed = false;  // and why: the disk can no longer be trusted
        BootTime taken{};         // whoever arrived until then is in `requests`

        [[nodiscard]] bool is_empty() const {
            return requests.empty() && cancelled.empty() && copy_to.empty() && !wants_life &&
                   !drain && !stop;
        }
    };

    void work();
    // Waits for work or for the store's next deadline.
    [[nodiscard]] Inbox next();
    // Waits until `until`, or for work. Looks up in between, so that a stop of the process shows.
    void wait(std::unique_lock<std::mutex>& lock, BootTime until);
    [[nodiscard]] bool has_work() const { return !inbox_.is_empty() || !long_reads_.empty(); }
    [[nodiscard]] bool is_due() const;
    void run(Inbox& inbox);
    void serve_long_reads();
    [[nodiscard]] std::optional<Request> next_long_read();
    void begin_copy(const std::filesystem::path& file);
    void copy_a_little();
    void end_copy(Result<CopyFacts> facts);  // if there is one
    void give_up_copy();
    // One batch, and its answers on their way.
    // `taken`: see Batcher::run().
    void run_batch(std::span<const Request> requests, std::span<const Ticket> cancelled,
                   std::optional<BootTime> taken);
    void note_busy();
    void note_idle() noexcept { busy_since_.store(0, std::memory_order_relaxed); }
    void deliver(std::vector<Routed> routed);
    void stop_trusting();

    EngineOptions options_;
    const Clock& clock_;
    std::unique_ptr<Batcher> store_;
    std::mutex mutex_;
    std::condition_variable has_work_;
    Inbox inbox_;
    std::deque<Request> long_reads_;  // guarded by mutex_
    CopySink* copy_sink_ = nullptr;  // guarded by mutex_; stays the same as long as there is a copy
    std::atomic<std::size_t> submitted_ = 0;    // see EngineLoad
    std::atomic<std::int64_t> busy_since_ = 0;  // ns since boot; 0: idle
    std::unique_ptr<StoreCopy> copy_;
    bool copy_pauses_ = false;  // until its sink takes more
    std::thread thread_;
};

}  // namespace fencegate::storage
