#pragma once
// Session: one connection from handshake to goodbye, as one readable loop: read a head, gate it,
// admit it, read its body, ask, reply, again. Any doubt about framing answers once and closes.
// Deadlines: an operation that must end has a deadline in deadline_; the thread's sweep cancels
// what is overdue. Beast's own timeouts close the socket, and a 408 could not be sent any more.
// Thread rule: lives on its IoThread and never leaves it.

#include "proxy/http/service.hpp"
#include "proxy/net/asio.hpp"
#include "proxy/net/io_thread.hpp"
#include "proxy/streams/watch_log.hpp"

#include <atomic>
#include <memory>
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
    storage::Engine* engine;                          // nullptr: the service makes no commands
    WatchLog* watch_log;                              // nullptr: the service makes no subscriptions
    mutable std::atomic<std::size_t> statements = 0;  // that are being written
};

class Session {
public:
    // Serves `stream` until it closes. Spawn on the thread's context.
    static asio::awaitable<void> serve(TlsStream stream, std::string peer, IoThread* thread,
                                       const SessionShared* shared);

    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Lets the request at hand finish, or one that is on its way already, then closes. Its reply
    // says so.
    void drain();
    // Cancels what is overdue.
    void sweep(BootTime now);
    // There are new events, these if they are given. REQUIRES: a stream is being served.
    void wake(const WatchLog::Batches* fresh);

private:
    // While draining, a connection whose last reply did not say "close" waits this long for a
    // request that was sent on the strength of it: longer than most round trips, short beside
    // drain_timeout.
    static constexpr Duration kLastRequestGrace{500};

    enum class HeadRead : std::uint8_t { Ready, Closed, TooLarge, TimedOut };

    Session(TlsStream stream, std::string peer, IoThread& thread, const SessionShared& shared);

    asio::awaitable<void> run();
    asio::awaitable<bool> shake_hands();
    asio::awaitable<bool> serve_one();
    asio::awaitable<HeadRead> read_head();
    asio::awaitable<bool> serve_exchange();
    asio::awaitable<Result<>> read_body();
    asio::awaitable<Result<>> read_sized_body(std::uint64_t size);
    asio::awaitable<Result<>> read_chunked_body();
    asio::awaitable<bool> read_more(std::size_t limit);
    asio::awaitable<Reply> carry_out(storage::Command command);
    asio::awaitable<storage::Answer> wait_for_lock(storage::Command command);
    asio::awaitable<void> watch_peer(storage::Ticket ticket);
    // Runs `watching`, which reads the connection, beside what the session does meanwhile.
    void start_watching(asio::awaitable<void> watching);
    asio::awaitable<void> stop_watching();

    // Statements, in session_statement.cpp.
    struct StatementInProgress;
    asio::awaitable<bool> serve_statement(StatementRequest request, bool keep_alive);
    asio::awaitable<void> send_piece(StatementInProgress* statement);
    asio::awaitable<void> note_departure();

    // Streams of events, in session_stream.cpp. A stream is the last answer of its connection.
    struct Stream;
    asio::awaitable<bool> serve_stream(Subscription subscription, bool keep_alive);
    asio::awaitable<std::optional<Error>> open_stream(Stream* stream, Subscription subscription);
    asio::awaitable<WatchEnd> stream_events(Stream* stream);
    asio::awaitable<void> rest(Stream* stream);
    asio::awaitable<bool> send_events(Stream* stream);
    asio::awaitable<void> ignore_peer(Stream* stream);
    void collect_events(Stream& stream);
    void drain_stream();
    void hang_up();

    // Closes behind the reply, and says so, while draining. True: the connection goes on.
    asio::awaitable<bool> answer(Reply reply, bool may_keep_alive);
    asio::awaitable<bool> refuse_head(Error error);
    asio::awaitable<void> say_goodbye();

    asio::awaitable<bool> send_continue();
    [[nodiscard]] Result<> check_body_rules() const;
    // Skips the body of a refused request if all of it is here; else the connection must close.
    [[nodiscard]] bool skip_body();
    void begin_exchange();
    void set_deadline(Duration from_now);
    void clear_deadline() noexcept { deadline_.reset(); }
    void log(const Reply& reply, std::size_t bytes_out);

    TlsStream stream_;
    std::string peer_;
    IoThread& thread_;
    const SessionShared& shared_;
    IoThread::Place place_;

    beast::flat_buffer buffer_;  // received, not yet consumed
    std::string head_;           // of the request at hand
    std::string body_;
    std::string out_;
    Exchange exchange_;
    BootTime started_{};
    std::size_t served_ = 0;

    std::optional<BootTime> deadline_;
    bool is_overdue_ = false;
    bool is_idle_ = false;  // waits for the first byte of a request
    bool is_draining_ = false;
    bool is_watching_ = false;   // what start_watching() started has not returned
    bool is_answered_ = false;   // what it watches over has ended
    bool is_peer_gone_ = false;  // while a statement is written
    asio::steady_timer watch_ended_;
    Stream* stream_of_events_ = nullptr;  // while one is served
};

}  // namespace fencegate::proxy
