#include "proxy/net/io_thread.hpp"

#include "base/check.hpp"
#include "proxy/net/event_stream.hpp"
#include "proxy/net/session.hpp"
#include "storage/model/operation.hpp"

#include <ctime>
#include <pthread.h>

namespace fencegate::proxy {

namespace {
constexpr unsigned kTicketThreadShift = 48;
constexpr std::chrono::milliseconds kSweepEvery{100};
// Watchers get what happened meanwhile in one write. Nobody reads faster, and a thousand wake-ups a
// commit would be all that this thread does.
constexpr std::chrono::milliseconds kWatchTick{25};

storage::Answer not_taken(storage::Submission why, bool has_key) {
    Error error{ErrorCode::Overloaded, "Too many requests are queued.", {}, 1'000};
    if (why == storage::Submission::Stopped)
        error = {ErrorCode::Draining, "The gateway is shutting down.", {}, 1'000};
    if (why == storage::Submission::Failed)
        error = {ErrorCode::StoreFailed,
                 "The store has failed and the gateway is about to stop.",
                 {},
                 1'000};
    error.detail += has_key ? " Nothing was done; repeat the call with the same Idempotency-Key."
                            : " Nothing was done; repeat the call.";
    storage::Answer answer;
    answer.error = std::move(error);
    return answer;
}

}  // namespace

// The initiation of ask()'s wait: keeps the coroutine's continuation until the answer comes.
// A named type and no lambda: GCC 12 miscompiles capturing lambdas in a co_await expression
// (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=107288).
struct IoThread::Parked {
    IoThread* thread;
    storage::Ticket ticket;

    template <class Handler>
    void operator()(Handler&& handler) {
        thread->parked_.emplace(ticket, Resume(std::forward<Handler>(handler)));
    }
};

IoThread::IoThread(std::size_t index, std::string name, const Clock& clock)
    : name_(std::move(name)), clock_(clock), last_ticket_((index + 1) << kTicketThreadShift) {}

IoThread::~IoThread() { stop(); }

void IoThread::start() {
    sweep_later();
    thread_ = std::thread([this] { context_.run(); });
    ::pthread_setname_np(thread_.native_handle(), name_.c_str());
}

void IoThread::stop() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
}

storage::Ticket IoThread::new_ticket() noexcept { return storage::Ticket(++last_ticket_); }

asio::awaitable<storage::Answer> IoThread::ask(storage::Engine* engine, storage::Ticket ticket,
                                               storage::Command command) {
    storage::Request request{ticket, this, std::move(command)};
    // The answer is posted to this thread, which is busy right here: it cannot come before the
    // coroutine is parked.
    const bool has_key = storage::idempotency_of(request.command.operation) != nullptr;
    const auto submission = engine->submit(std::move(request));
    if (submission != storage::Submission::Taken) co_return not_taken(submission, has_key);
    Parked parked{this, ticket};
    auto wait = asio::async_initiate<const asio::use_awaitable_t<>, void(storage::Answer)>(
        parked, asio::use_awaitable);
    auto answer = co_await std::move(wait);
    co_return answer;
}

void IoThread::deliver(std::vector<storage::Delivery> deliveries) {
    bool was_empty = false;
    {
        const std::lock_guard lock(mutex_);
        was_empty = delivered_.empty();
        std::ranges::move(deliveries, std::back_inserter(delivered_));
    }
    if (was_empty) asio::post(context_, [this] { resume_delivered(); });
}

void IoThread::resume_delivered() {
    std::vector<storage::Delivery> deliveries;
    {
        const std::lock_guard lock(mutex_);
        deliveries.swap(delivered_);
    }
    for (auto& [ticket, answer] : deliveries) {
        auto found = parked_.extract(ticket);
        FG_CHECK(!found.empty());
        found.mapped()(std::move(answer));
    }
}

const std::string& IoThread::http_date() {
    const auto second = std::chrono::floor<std::chrono::seconds>(clock_.wall_now());
    if (second != date_second_) {
        date_second_ = second;
        const std::time_t time = second.time_since_epoch().count();
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        char text[32];
        const auto size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        date_.assign(text, size);
    }
    return date_;
}

IoThread::Place IoThread::enter(Session& session) {
    ++session_count_;
    return all_.insert(all_.end(), &session);
}

void IoThread::leave(Place place) {
    all_.erase(place);
    --session_count_;
}

void IoThread::follow(WatchLog& log) {
    watch_log_ = &log;
    log.add_listener(*this);
}

IoThread::StreamPlace IoThread::begin_stream(EventStream& stream) {
    ++watcher_count_;
    return watchers_.insert(watchers_.end(), &stream);
}

void IoThread::end_stream(StreamPlace place) {
    watchers_.erase(place);
    --watcher_count_;
}

// On the store thread. Who begins to watch counts itself before it looks where the log ends, so
// that an event is either in what it reads or wakes it.
void IoThread::on_published() {
    if (watcher_count_.load() == 0 || is_wake_posted_.exchange(true)) return;
    asio::post(context_, [this] { wake_watchers_soon(); });
}

void IoThread::wake_watchers_soon() {
    const auto due = last_wake_ + kWatchTick;
    const auto now = clock_.boot_now();
    if (now >= due) return wake_watchers();
    wake_timer_.expires_after(due - now);
    wake_timer_.async_wait([this](const error_code& ec) {
        if (!ec) wake_watchers();
    });
}

void IoThread::wake_watchers() {
    last_wake_ = clock_.boot_now();
    // First: what is published from here on is not seen by everybody, and has to wake them again.
    is_wake_posted_.exchange(false);
    // Read once for all of them: most find nothing they want in it, and need no look of their own.
    for (;;) {
        const auto fresh = watch_log_->behind(woken_for_);
        if (fresh && fresh->empty()) return;
        woken_for_ = fresh ? fresh->back()->last() : watch_log_->present();
        for (auto* stream : watchers_) stream->wake(fresh ? &*fresh : nullptr);
    }
}

void IoThread::sweep_later() {
    sweep_timer_.expires_after(kSweepEvery);
    sweep_timer_.async_wait([this](const error_code& ec) {
        if (ec) return;
        const auto now = clock_.boot_now();
        for (auto* session : all_) session->sweep(now);
        sweep_later();
    });
}

void IoThread::drain() {
    asio::post(context_, [this] {
        is_draining_ = true;
        for (auto* session : all_) session->drain();
        for (auto* stream : watchers_) stream->drain();
    });
}

}  // namespace fencegate::proxy
