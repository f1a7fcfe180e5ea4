// The streaming half of Session: a client that follows events. Its place in the log is all that it
// costs; events are taken from there when they can be sent, a bounded number of bytes at a time.
#include "proxy/config/config.hpp"
#include "proxy/net/session.hpp"
#include "proxy/streams/watch_event.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kBytesPerWrite = 16'384;  // a TLS record; and one event more
constexpr std::size_t kIgnoredBytesMax = 65'536;
constexpr std::size_t kReadBytes = 4'096;

Error no_seat() {
    return {ErrorCode::Overloaded,
            "As many clients as may (watchers_max) are watching. Retry later.",
            {},
            5'000};
}

Error draining() { return {ErrorCode::Draining, "The gateway is shutting down.", {}, 1'000}; }

}  // namespace

// One watcher, in the frame of serve_stream(). Present among the watchers of its thread and in the
// gauge for as long as it lives, also when the thread is stopped around it.
struct Session::Stream {
    Stream(Session& owner, WatchLog::Seat taken)
        : session(owner),
          seat(std::move(taken)),
          place(owner.thread_.begin_stream(owner)),
          timer(owner.thread_.context()) {
        session.stream_of_events_ = this;
        session.shared_.metrics.watchers(1);
    }
    ~Stream() {
        session.shared_.metrics.watchers(-1);
        session.stream_of_events_ = nullptr;
        session.thread_.end_stream(place);
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    Session& session;
    WatchLog::Seat seat;
    IoThread::Place place;
    asio::steady_timer timer;  // until it is woken or a heartbeat is due
    std::optional<WatchCursor> cursor{};
    BootTime heartbeat_at{};
    std::size_t bytes_sent = 0;
    bool is_behind = true;  // there may be more events than were taken
    bool is_peer_gone = false;
    std::optional<WatchEnd> last_words{};  // are in out_, and then it ends
};

void Session::wake(const WatchLog::Batches* fresh) {
    auto& stream = *stream_of_events_;
    if (stream.is_behind) return;
    if (fresh != nullptr && !stream.cursor->is_wanted_in(*fresh)) return;
    stream.is_behind = true;
    stream.timer.cancel();
}

void Session::drain_stream() {
    stream_of_events_->is_behind = true;
    stream_of_events_->timer.cancel();
    // Who does not read must not hold up the others' shutdown.
    if (is_draining_ && deadline_)
        deadline_ = std::min(*deadline_, shared_.clock.boot_now() + kLastRequestGrace);
}

asio::awaitable<bool> Session::serve_stream(Subscription subscription, bool keep_alive) {
    auto seat = shared_.watch_log->take_seat();
    if (!seat || is_draining_) {
        auto refused = refuse(is_draining_ ? draining() : no_seat(), exchange_.request_id);
        const bool goes_on = co_await answer(std::move(refused), keep_alive);
        co_return goes_on;
    }
    Stream stream(*this, *std::move(seat));
    auto opening = open_stream(&stream, std::move(subscription));
    const auto error = co_await std::move(opening);
    if (error) {
        auto refused = refuse(*error, exchange_.request_id);
        const bool goes_on = co_await answer(std::move(refused), keep_alive);
        co_return goes_on;
    }
    auto watching = ignore_peer(&stream);
    start_watching(std::move(watching));
    const auto end = co_await stream_events(&stream);
    if (end == WatchEnd::Slow || end == WatchEnd::Client) hang_up();
    co_await stop_watching();
    shared_.metrics.watch_ended(end);
    log(Reply{}, stream.bytes_sent);
    co_return false;
}

// Puts the head and the first events into out_: with them the client knows that it will see
// whatever is committed from here on. The place in the log is taken first, the state is read
// behind it, so that nothing falls in between; an event may be in both.
asio::awaitable<std::optional<Error>> Session::open_stream(Stream* stream,
                                                           Subscription subscription) {
    const auto& log = *shared_.watch_log;
    WatchLog::Resumed from{log.present(), {}};
    storage::Answer state;
    if (subscription.snapshot) {
        storage::Command command{exchange_.principal, exchange_.request_id,
                                 *std::move(subscription.snapshot)};
        const auto ticket = thread_.new_ticket();
        state = co_await thread_.ask(shared_.engine, ticket, std::move(command));
        if (state.error) co_return std::move(state.error);
    } else if (!exchange_.head.last_event_id.value_or("").empty()) {
        from = log.resume(*exchange_.head.last_event_id);
    }
    stream->cursor.emplace(log, std::move(subscription.filter), from.position);
    stream->heartbeat_at = shared_.clock.boot_now() + shared_.config.watch_heartbeat;
    const auto id = log.id(from.position);
    out_.clear();
    write_stream_head(exchange_.request_id, thread_.http_date(), out_);
    append_opening(from.missed.empty() ? id : std::string(), out_);
    if (!from.missed.empty()) append_reset(from.missed, id, out_);
    if (!state.body.empty()) append_state(state.body, id, out_);
    co_return std::nullopt;
}

asio::awaitable<WatchEnd> Session::stream_events(Stream* stream) {
    for (;;) {
        const bool is_sent = co_await send_events(stream);
        if (!is_sent) co_return is_overdue_ ? WatchEnd::Slow : WatchEnd::Client;
        if (stream->last_words) co_return *stream->last_words;
        out_.clear();
        while (out_.empty()) {
            co_await rest(stream);
            if (stream->is_peer_gone) co_return WatchEnd::Client;
            collect_events(*stream);
        }
    }
}

asio::awaitable<bool> Session::send_events(Stream* stream) {
    const auto patience = shared_.config.write_timeout;
    set_deadline(is_draining_ ? std::min(patience, kLastRequestGrace) : patience);
    const auto bytes = asio::buffer(out_);
    auto [ec, size] = co_await asio::async_write(stream_, bytes, kAwait);
    clear_deadline();
    stream->bytes_sent += size;
    co_return !ec;
}

// Until there may be something to send.
asio::awaitable<void> Session::rest(Stream* stream) {
    while (!stream->is_behind && !stream->is_peer_gone) {
        const auto now = shared_.clock.boot_now();
        if (now >= stream->heartbeat_at) co_return;
        stream->timer.expires_after(stream->heartbeat_at - now);
        [[maybe_unused]] auto [ec] = co_await stream->timer.async_wait(kAwait);
    }
}

void Session::collect_events(Stream& stream) {
    const auto filled = stream.cursor->fill(kBytesPerWrite, out_);
    stream.is_behind = filled == WatchCursor::Filled::Part;
    const auto now = shared_.clock.boot_now();
    if (filled == WatchCursor::Filled::Overrun) {
        append_overrun(out_);
        stream.last_words = WatchEnd::Overrun;
    } else if (is_draining_) {
        append_draining(out_);
        stream.last_words = WatchEnd::Draining;
    } else if (out_.empty() && now >= stream.heartbeat_at) {
        append_heartbeat(shared_.watch_log->id(stream.cursor->seen()), out_);
    }
    if (!out_.empty()) stream.heartbeat_at = now + shared_.config.watch_heartbeat;
}

// A client that follows events has nothing more to say. It is read to notice that it has left; what
// it says all the same is thrown away, up to a bound.
asio::awaitable<void> Session::ignore_peer(Stream* stream) {
    auto ignored = buffer_.size();
    buffer_.consume(ignored);
    bool is_there = true;
    while (!is_answered_ && is_there && ignored < kIgnoredBytesMax) {
        is_there = co_await read_more(kReadBytes);
        ignored += buffer_.size();
        buffer_.consume(buffer_.size());
    }
    if (is_answered_) co_return;
    stream->is_peer_gone = true;
    stream->timer.cancel();
    hang_up();  // ends a write that nobody reads
}

void Session::hang_up() {
    error_code ignored;
    stream_.next_layer().close(ignored);
}

}  // namespace fencegate::proxy
