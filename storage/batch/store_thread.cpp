#include "storage/batch/store_thread.hpp"

#include "storage/model/operation.hpp"

#include <algorithm>
#include <pthread.h>
#include <utility>

namespace fencegate::storage {
namespace {

// A wait on the monotonic clock sleeps through a suspend; looking up once a second bounds how late
// a lease of CLOCK_BOOTTIME is noticed afterwards.
constexpr Duration kWaitMax{1'000};
// How long a copy may hold up the batch that has queued up meanwhile. A slice goes a little over.
constexpr std::chrono::microseconds kCopySlice{500};
// The same for long reads.
constexpr std::chrono::microseconds kReadSlice{1'000};
// How soon to ask a sink again that takes no more.
constexpr Duration kCopyRest{2};

}  // namespace

StoreThread::StoreThread(EngineOptions options, const Clock& clock, std::unique_ptr<Batcher> store)
    : options_(std::move(options)), clock_(clock), store_(std::move(store)) {
    thread_ = std::thread([this] { work(); });
    ::pthread_setname_np(thread_.native_handle(), "fg-store");
}

StoreThread::~StoreThread() { stop(); }

Submission StoreThread::submit(Request request) {
    const bool is_long = access_of(request.command.operation) == Access::LongRead;
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        if (inbox_.has_failed) return Submission::Failed;
        if (inbox_.is_closed) return Submission::Stopped;
        const auto queued = is_long ? long_reads_.size() : inbox_.requests.size();
        if (queued >= options_.queue_max) return Submission::Full;
        // Under the lock, so that the order of arrivals is the order of the queue.
        request.arrived = clock_.boot_now();
        was_empty = inbox_.is_empty() && long_reads_.empty();
        if (is_long) {
            long_reads_.push_back(std::move(request));
        } else {
            inbox_.requests.push_back(std::move(request));
        }
        submitted_.fetch_add(1, std::memory_order_relaxed);
    }
    if (was_empty) has_work_.notify_one();
    return Submission::Taken;
}

void StoreThread::cancel(Ticket ticket) {
    {
        const std::lock_guard lock(mutex_);
        inbox_.cancelled.push_back(ticket);
    }
    has_work_.notify_one();
}

bool StoreThread::copy_to(std::filesystem::path file, CopySink& sink) {
    {
        const std::lock_guard lock(mutex_);
        if (inbox_.is_closed || copy_sink_ != nullptr) return false;
        copy_sink_ = &sink;
        inbox_.copy_to = std::move(file);
    }
    has_work_.notify_one();
    return true;
}

void StoreThread::ask_for_life() {
    {
        const std::lock_guard lock(mutex_);
        inbox_.wants_life = true;
    }
    has_work_.notify_one();
}

void StoreThread::drain() {
    {
        const std::lock_guard lock(mutex_);
        inbox_.drain = true;
    }
    has_work_.notify_one();
}

EngineLoad StoreThread::load() const noexcept {
    EngineLoad load{.commands = submitted_.load(std::memory_order_relaxed)};
    const auto since = busy_since_.load(std::memory_order_relaxed);
    if (since != 0) load.busy_since = BootTime(std::chrono::nanoseconds(since));
    return load;
}

void StoreThread::note_busy() {
    busy_since_.store(clock_.boot_now().time_since_epoch().count(), std::memory_order_relaxed);
}

void StoreThread::stop() {
    {
        const std::lock_guard lock(mutex_);
        inbox_.stop = true;
        inbox_.is_closed = true;
    }
    has_work_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void StoreThread::work() {
    for (;;) {
        auto inbox = next();
        if (!inbox.is_empty() || !copy_ || is_due()) run(inbox);
        serve_long_reads();
        if (store_->fatal()) {
            stop_trusting();
            return;
        }
        if (!inbox.copy_to.empty()) begin_copy(inbox.copy_to);
        if (inbox.drain || inbox.stop) give_up_copy();
        copy_a_little();
        if (inbox.stop) {
            while (const auto read = next_long_read()) run_batch({&*read, 1}, {}, read->arrived);
            deliver(store_->drain());
            store_->close();
            note_idle();
            return;
        }
        note_busy();  // a checkpoint waits for the disk as a commit does
        store_->checkpoint_if_grown();
        // Last: whatever may hang has been done.
        if (inbox.wants_life && options_.on_alive) options_.on_alive();
    }
}

StoreThread::Inbox StoreThread::next() {
    std::unique_lock lock(mutex_);
    if (!has_work() && (!copy_ || copy_pauses_)) {
        auto until = clock_.boot_now() + (copy_ ? kCopyRest : kWaitMax);
        if (const auto deadline = store_->next_deadline()) until = std::min(until, *deadline);
        note_idle();
        wait(lock, until);
    }
    auto taken = std::exchange(inbox_, Inbox{});
    inbox_.is_closed = taken.is_closed;
    inbox_.has_failed = taken.has_failed;
    taken.taken = clock_.boot_now();
    return taken;
}

void StoreThread::wait(std::unique_lock<std::mutex>& lock, BootTime until) {
    const auto longest = store_->has_deadlines() ? lockmgr::StallMeter::kLookEvery : kWaitMax;
    for (auto now = clock_.boot_now(); now < until; now = clock_.boot_now()) {
        // Rounded up: waking a moment early would only spin.
        const Duration left(ms_between(now, until) + 1);
        if (has_work_.wait_for(lock, std::min(left, longest), [this] { return has_work(); }))
            return;
        store_->look();
    }
}

bool StoreThread::is_due() const {
    const auto deadline = store_->next_deadline();
    return deadline && *deadline <= clock_.boot_now();
}

void StoreThread::run(Inbox& inbox) {
    if (inbox.drain) deliver(store_->drain());
    const std::span<const Request> requests(inbox.requests);
    std::size_t from = 0;
    do {
        const auto count = std::min(options_.batch_max, requests.size() - from);
        const auto part = requests.subspan(from, count);
        from += count;
        // To every part: a cancel may have come together with the request it cancels.
        run_batch(part, inbox.cancelled,
                  from < requests.size() ? requests[from].arrived : inbox.taken);
    } while (from < requests.size());
}

void StoreThread::run_batch(std::span<const Request> requests, std::span<const Ticket> cancelled,
                            std::optional<BootTime> taken) {
    note_busy();
    auto routed = store_->run(requests, cancelled, taken);
    // Before the answers: whoever has one is not counted any more.
    submitted_.fetch_sub(requests.size(), std::memory_order_relaxed);
    deliver(std::move(routed));
}

// Each in a batch of its own, so that time can be looked at in between. At least one, so that
// writes hold up no read for ever.
void StoreThread::serve_long_reads() {
    const auto until = clock_.boot_now() + kReadSlice;
    while (const auto read = next_long_read()) {
        run_batch({&*read, 1}, {}, read->arrived);
        if (store_->fatal() || clock_.boot_now() >= until) return;
    }
}

std::optional<Request> StoreThread::next_long_read() {
    const std::lock_guard lock(mutex_);
    if (long_reads_.empty()) return std::nullopt;
    std::optional<Request> read(std::move(long_reads_.front()));
    long_reads_.pop_front();
    return read;
}

void StoreThread::begin_copy(const std::filesystem::path& file) {
    auto begun = store_->store().begin_copy(file);
    if (!begun) return end_copy(std::unexpected(begun.error()));
    copy_ = *std::move(begun);
}

void StoreThread::copy_a_little() {
    if (!copy_) return;
    copy_pauses_ = !copy_sink_->takes_more();
    if (copy_pauses_) return;
    const auto is_complete = copy_->step(clock_, kCopySlice);
    if (!is_complete) return end_copy(std::unexpected(is_complete.error()));
    copy_sink_->on_copy_progress(copy_->progress());
    if (*is_complete) end_copy(copy_->facts());
}

void StoreThread::give_up_copy() {
    if (copy_) end_copy(fail(ErrorCode::Draining, "The gateway stops; the copy was given up."));
}

void StoreThread::end_copy(Result<CopyFacts> facts) {
    copy_.reset();
    CopySink* sink = nullptr;
    {
        const std::lock_guard lock(mutex_);
        sink = std::exchange(copy_sink_, nullptr);
    }
    if (sink != nullptr) sink->on_copied(std::move(facts));
}

void StoreThread::deliver(std::vector<Routed> routed) {
    std::vector<std::pair<AnswerSink*, std::vector<Delivery>>> homes;
    for (auto& [home, delivery] : routed) {
        auto found = std::ranges::find(homes, home, [](const auto& entry) { return entry.first; });
        if (found == homes.end()) found = homes.emplace(homes.end(), home, std::vector<Delivery>{});
        found->second.push_back(std::move(delivery));
    }
    for (auto& [home, deliveries] : homes) home->deliver(std::move(deliveries));
}

void StoreThread::stop_trusting() {
    Inbox rest;
    {
        const std::lock_guard lock(mutex_);
        std::swap(rest, inbox_);
        inbox_.is_closed = true;
        inbox_.has_failed = true;
    }
    end_copy(fail(ErrorCode::Internal, "The store failed; the copy was given up."));
    run_batch(rest.requests, {}, {});  // answers StoreFailed, touches nothing
    while (const auto read = next_long_read()) run_batch({&*read, 1}, {}, read->arrived);
    note_idle();
    if (options_.on_fatal) options_.on_fatal(*store_->fatal());
}

}  // namespace fencegate::storage
