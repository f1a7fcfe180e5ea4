#pragma once
// EventStream: a client that follows events. Its place in the log is all that it costs; events are
// taken from there when they can be sent, a bounded number of bytes at a time. It is the last
// answer of its connection.
// Thread rule: as its connection.

#include "proxy/net/connection.hpp"
#include "proxy/streams/subscription.hpp"
#include "proxy/streams/watch_log.hpp"
#include "proxy/telemetry/metrics.hpp"

#include <optional>
#include <string>

namespace fencegate::proxy {

class EventStream {
public:
    // Present among the watchers of its thread and in the gauge for as long as it lives, also when
    // the thread is stopped around it. Both outlive it.
    EventStream(Connection& connection, const Exchange& exchange, WatchLog::Seat seat);
    ~EventStream();
    EventStream(const EventStream&) = delete;
    EventStream& operator=(const EventStream&) = delete;

    // Fails with: the refusal of the first look at the store; nothing was sent.
    asio::awaitable<std::optional<Error>> open(Subscription subscription);
    // REQUIRES: open() did not fail. Until the client or the gateway has enough.
    asio::awaitable<WatchEnd> serve();
    [[nodiscard]] std::size_t bytes_sent() const noexcept { return bytes_sent_; }

    // There are new events, these if they are given.
    void wake(const WatchLog::Batches* fresh);
    // Says goodbye to its client soon.
    void drain();

private:
    asio::awaitable<WatchEnd> send_all();
    asio::awaitable<bool> send_events();
    asio::awaitable<void> pause();
    asio::awaitable<void> ignore_peer();
    void collect_events();

    Connection& connection_;
    const Exchange& exchange_;
    WatchLog::Seat seat_;
    IoThread::StreamPlace place_;
    asio::steady_timer timer_;  // until it is woken or a heartbeat is due
    std::optional<WatchCursor> cursor_;
    BootTime heartbeat_at_{};
    std::string out_;  // to be sent
    std::size_t bytes_sent_ = 0;
    bool is_behind_ = true;  // there may be more events than were taken
    bool is_peer_gone_ = false;
    std::optional<WatchEnd> last_words_;  // are in out_, and then it ends
};

}  // namespace fencegate::proxy
