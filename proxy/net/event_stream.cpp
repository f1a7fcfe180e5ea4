#include "proxy/net/event_stream.hpp"

#include "proxy/config/config.hpp"
#include "proxy/streams/watch_event.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kBytesPerWrite = 16'384;  // a TLS record; and one event more
constexpr std::size_t kIgnoredBytesMax = 65'536;
constexpr std::size_t kReadBytes = 4'096;

}  // namespace

EventStream::EventStream(Connection& connection, const Exchange& exchange, WatchLog::Seat seat)
    : connection_(connection),
      exchange_(exchange),
      seat_(std::move(seat)),
      place_(connection.thread().begin_stream(*this)),
      timer_(connection.thread().context()) {
    connection_.shared().metrics.watchers(1);
}

EventStream::~EventStream() {
    connection_.shared().metrics.watchers(-1);
    connection_.thread().end_stream(place_);
}

void EventStream::wake(const WatchLog::Batches* fresh) {
    if (is_behind_) return;
    if (fresh != nullptr && !cursor_->is_wanted_in(*fresh)) return;
    is_behind_ = true;
    timer_.cancel();
}

void EventStream::drain() {
    is_behind_ = true;
    timer_.cancel();
    // Who does not read must not hold up the others' shutdown.
    connection_.hurry(Connection::kLastRequestGrace);
}

// Puts the head and the first events into out_: with them the client knows that it will see
// whatever is committed from here on. The place in the log is taken first, the state is read
// behind it, so that nothing falls in between; an event may be in both.
asio::awaitable<std::optional<Error>> EventStream::open(Subscription subscription) {
    const auto& shared = connection_.shared();
    const auto& log = *shared.watch_log;
    auto& thread = connection_.thread();
    WatchLog::Resumed from{log.present(), {}};
    storage::Answer state;
    if (subscription.snapshot) {
        storage::Command command{exchange_.principal, exchange_.request_id,
                                 *std::move(subscription.snapshot)};
        const auto ticket = thread.new_ticket();
        state = co_await thread.ask(shared.engine, ticket, std::move(command));
        if (state.error) co_return std::move(state.error);
    } else if (!exchange_.head.last_event_id.value_or("").empty()) {
        from = log.resume(*exchange_.head.last_event_id);
    }
    cursor_.emplace(log, std::move(subscription.filter), from.position);
    heartbeat_at_ = connection_.now() + shared.config.watch_heartbeat;
    const auto id = log.id(from.position);
    write_stream_head(exchange_.request_id, thread.http_date(), out_);
    append_opening(from.missed.empty() ? id : std::string(), out_);
    if (!from.missed.empty()) append_reset(from.missed, id, out_);
    if (!state.body.empty()) append_state(state.body, id, out_);
    co_return std::nullopt;
}

asio::awaitable<WatchEnd> EventStream::serve() {
    auto watching = ignore_peer();
    connection_.start_watching(std::move(watching));
    const auto end = co_await send_all();
    if (end == WatchEnd::Slow || end == WatchEnd::Client) connection_.hang_up();
    co_await connection_.stop_watching();
    co_return end;
}

asio::awaitable<WatchEnd> EventStream::send_all() {
    for (;;) {
        const bool is_sent = co_await send_events();
        if (!is_sent) co_return connection_.is_overdue() ? WatchEnd::Slow : WatchEnd::Client;
        if (last_words_) co_return *last_words_;
        out_.clear();
        while (out_.empty()) {
            co_await pause();
            if (is_peer_gone_) co_return WatchEnd::Client;
            collect_events();
        }
    }
}

asio::awaitable<bool> EventStream::send_events() {
    auto patience = connection_.config().write_timeout;
    if (connection_.is_draining()) patience = std::min(patience, Connection::kLastRequestGrace);
    const auto sent = co_await connection_.send(out_, patience);
    bytes_sent_ += sent.bytes;
    co_return sent.is_all;
}

// Until there may be something to send.
asio::awaitable<void> EventStream::pause() {
    while (!is_behind_ && !is_peer_gone_) {
        const auto now = connection_.now();
        if (now >= heartbeat_at_) co_return;
        timer_.expires_after(heartbeat_at_ - now);
        [[maybe_unused]] auto [ec] = co_await timer_.async_wait(kAwait);
    }
}

void EventStream::collect_events() {
    const auto filled = cursor_->fill(kBytesPerWrite, out_);
    is_behind_ = filled == WatchCursor::Filled::Part;
    const auto now = connection_.now();
    if (filled == WatchCursor::Filled::Overrun) {
        append_overrun(out_);
        last_words_ = WatchEnd::Overrun;
    } else if (connection_.is_draining()) {
        append_draining(out_);
        last_words_ = WatchEnd::Draining;
    } else if (out_.empty() && now >= heartbeat_at_) {
        append_heartbeat(connection_.shared().watch_log->id(cursor_->seen()), out_);
    }
    if (!out_.empty()) heartbeat_at_ = now + connection_.config().watch_heartbeat;
}

// A client that follows events has nothing more to say. It is read to notice that it has left; what
// it says all the same is thrown away, up to a bound.
asio::awaitable<void> EventStream::ignore_peer() {
    std::size_t ignored = 0;
    bool is_there = true;
    while (is_there && ignored < kIgnoredBytesMax) {
        const auto size = connection_.received().size();
        ignored += size;
        connection_.consume(size);
        if (connection_.is_watch_over()) co_return;
        is_there = co_await connection_.read_more(kReadBytes);
    }
    if (connection_.is_watch_over()) co_return;
    is_peer_gone_ = true;
    timer_.cancel();
    connection_.hang_up();  // ends a write that nobody reads
}

}  // namespace fencegate::proxy
