#pragma once
// Connection: a client's TLS connection from handshake to goodbye, what has arrived on it, and the
// deadline of what it waits for.
// Deadlines: an operation that must end has a deadline; the thread's sweep cancels what is overdue.
// Beast's own timeouts close the socket, and a 408 could not be sent any more.
// Thread rule: lives on its IoThread and never leaves it.

#include "base/log.hpp"
#include "proxy/http/service.hpp"
#include "proxy/net/asio.hpp"
#include "proxy/net/io_thread.hpp"
#include "proxy/streams/watch_log.hpp"
#include "proxy/telemetry/metrics.hpp"

#include <atomic>
#include <optional>
#include <string>

namespace fencegate::proxy {

class AccessLog;
struct Config;

// What every session of a listener shares. All of it outlives the sessions.
struct SessionShared {
    const Config& config;
    const Clock& clock;
    Service& service;
    Metrics& metrics;
    AccessLog& access_log;
    const Log& log;
    storage::Engine* engine;                          // nullptr: the service makes no commands
    WatchLog* watch_log;                              // nullptr: the service makes no subscriptions
    mutable std::atomic<std::size_t> statements = 0;  // that are being written
};

class Connection {
public:
    // While draining, a connection whose last reply did not say "close" waits this long for a
    // request that was sent on the strength of it: longer than most round trips, short beside
    // drain_timeout.
    static constexpr Duration kLastRequestGrace{500};

    Connection(TlsStream stream, std::string peer, IoThread& thread, const SessionShared& shared);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] IoThread& thread() const noexcept { return thread_; }
    [[nodiscard]] const SessionShared& shared() const noexcept { return shared_; }
    [[nodiscard]] const Config& config() const noexcept { return shared_.config; }
    [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
    [[nodiscard]] BootTime now() const { return shared_.clock.boot_now(); }

    asio::awaitable<bool> shake_hands();
    // Shuts both layers down in order; what still comes is thrown away for a moment.
    asio::awaitable<void> say_goodbye();
    // Ends whatever reads or writes, without a goodbye.
    void hang_up();

    // Has arrived and was not consumed.
    [[nodiscard]] std::string_view received() const noexcept;
    void consume(std::size_t bytes) { buffer_.consume(bytes); }
    // Receives at most `limit` bytes more. False: it has ended, or is overdue.
    asio::awaitable<bool> read_more(std::size_t limit);

    struct Sent {
        bool is_all = false;
        std::size_t bytes = 0;
    };
    // `bytes` stay where they are until it returns.
    asio::awaitable<Sent> send(std::string_view bytes, Duration patience);

    void set_deadline(Duration from_now);
    void clear_deadline() noexcept { deadline_.reset(); }
    // Brings the deadline, if there is one, at least this near.
    void hurry(Duration from_now);
    [[nodiscard]] bool is_overdue() const noexcept { return is_overdue_; }
    // Cancels what is overdue.
    void sweep(BootTime now);

    void drain() noexcept { is_draining_ = true; }
    [[nodiscard]] bool is_draining() const noexcept { return is_draining_; }

    // Runs `watching`, which reads the connection, beside what is done meanwhile. It ends with
    // is_watch_over() or by itself.
    void start_watching(asio::awaitable<void> watching);
    asio::awaitable<void> stop_watching();
    [[nodiscard]] bool is_watch_over() const noexcept { return is_watch_over_; }
    // To be awaited by it: receives what the client sends ahead, at most as much as a head may
    // have. True: the client has left before the watch was over.
    asio::awaitable<bool> notice_departure();

private:
    TlsStream stream_;
    std::string peer_;
    IoThread& thread_;
    const SessionShared& shared_;

    beast::flat_buffer buffer_;
    std::optional<BootTime> deadline_;
    bool is_overdue_ = false;
    bool is_draining_ = false;
    bool is_watched_ = false;     // what start_watching() started has not returned
    bool is_watch_over_ = false;  // what it watches over has ended
    asio::steady_timer watch_ended_;
};

}  // namespace fencegate::proxy
