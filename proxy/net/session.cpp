#include "proxy/net/session.hpp"

#include "proxy/config/config.hpp"
#include "proxy/http/request_headers.hpp"
#include "proxy/telemetry/access_log.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kWatchBytes = 4096;
constexpr std::chrono::milliseconds kWatchLook{50};
constexpr Duration kGoodbyeTimeout{2'000};
constexpr std::size_t kKeptBytes = 16'384;  // of a buffer, for the next answer
constexpr std::size_t kGoodbyeBytesMax = std::size_t{256} << 10;

}  // namespace

asio::awaitable<void> Session::serve(TlsStream stream, std::string peer, IoThread* thread,
                                     const SessionShared* shared) {
    Session session(std::move(stream), std::move(peer), *thread, *shared);
    auto running = session.run();
    co_await std::move(running);
}

Session::Session(TlsStream stream, std::string peer, IoThread& thread, const SessionShared& shared)
    : stream_(std::move(stream)),
      peer_(std::move(peer)),
      thread_(thread),
      shared_(shared),
      place_(thread.enter(*this)),
      watch_ended_(thread.context()) {
    shared_.metrics.http_connections(shared_.service.listener(), 1);
}

Session::~Session() {
    shared_.metrics.http_connections(shared_.service.listener(), -1);
    thread_.leave(place_);
}

void Session::drain() {
    is_draining_ = true;
    if (stream_of_events_ != nullptr) drain_stream();
    if (!is_idle_ || !deadline_) return;
    deadline_ = std::min(*deadline_, shared_.clock.boot_now() + kLastRequestGrace);
}

void Session::sweep(BootTime now) {
    if (!deadline_ || now < *deadline_) return;
    is_overdue_ = true;  // and again at every sweep: a cancel may meet no pending operation
    error_code ignored;
    stream_.next_layer().cancel(ignored);
}

void Session::set_deadline(Duration from_now) {
    deadline_ = shared_.clock.boot_now() + from_now;
    is_overdue_ = false;
}

asio::awaitable<void> Session::run() {
    if (thread_.is_draining()) is_draining_ = true;  // accepted just before
    const bool is_secure = co_await shake_hands();
    if (!is_secure) co_return;
    bool goes_on = true;
    while (goes_on) goes_on = co_await serve_one();
    co_await say_goodbye();
}

asio::awaitable<bool> Session::shake_hands() {
    set_deadline(shared_.config.handshake_timeout);
    auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kAwait);
    clear_deadline();
    shared_.metrics.tls_handshake(!ec);
    co_return !ec;
}

asio::awaitable<bool> Session::serve_one() {
    const auto read = co_await read_head();
    if (read == HeadRead::Closed) co_return false;
    begin_exchange();
    if (read == HeadRead::TooLarge) {
        Error error{ErrorCode::HeaderTooLarge,
                    "The request head is larger than this gateway takes.",
                    {},
                    -1};
        const bool ends = co_await refuse_head(std::move(error));
        co_return ends;
    }
    if (read == HeadRead::TimedOut) {
        Error error{ErrorCode::RequestTimeout, "The request head did not arrive in time.", {}, -1};
        const bool ends = co_await refuse_head(std::move(error));
        co_return ends;
    }
    auto framing = check_framing(head_);
    if (!framing) {
        const bool ends = co_await refuse_head(std::move(framing.error()));
        co_return ends;
    }
    exchange_.framing = *framing;
    exchange_.head = proxy::read_head(head_);
    const bool goes_on = co_await serve_exchange();
    co_return goes_on;
}

void Session::begin_exchange() {
    exchange_ = Exchange{};
    exchange_.request_id = to_string(uuid_v7(shared_.clock.wall_now(), thread_.random()));
    body_.clear();
    ++served_;
}

asio::awaitable<bool> Session::refuse_head(Error error) {
    auto reply = refuse(error, exchange_.request_id);
    const bool goes_on = co_await answer(std::move(reply), false);
    co_return goes_on;
}

asio::awaitable<bool> Session::serve_exchange() {
    bool keep_alive = exchange_.framing.keep_alive && exchange_.framing.is_http_1_1 &&
                      !is_draining_ && served_ < shared_.config.requests_per_connection_max;
    auto admitted = shared_.service.admit(exchange_);
    if (admitted) admitted = check_body_rules();
    if (!admitted) {
        keep_alive = skip_body() && keep_alive;
        auto refused = refuse(admitted.error(), exchange_.request_id);
        const bool goes_on = co_await answer(std::move(refused), keep_alive);
        co_return goes_on;
    }
    auto has_body = co_await read_body();
    if (!has_body) {
        auto refused = refuse(has_body.error(), exchange_.request_id);
        const bool goes_on = co_await answer(std::move(refused), false);
        co_return goes_on;
    }
    auto begun = shared_.service.begin(exchange_, body_);
    if (auto* subscription = std::get_if<Subscription>(&begun)) {
        auto streaming = serve_stream(std::move(*subscription), keep_alive);
        const bool goes_on = co_await std::move(streaming);
        co_return goes_on;
    }
    if (auto* statement = std::get_if<StatementRequest>(&begun)) {
        auto writing = serve_statement(std::move(*statement), keep_alive);
        const bool goes_on = co_await std::move(writing);
        co_return goes_on;
    }
    Reply reply;
    if (auto* command = std::get_if<storage::Command>(&begun)) {
        reply = co_await carry_out(std::move(*command));
    } else {
        reply = std::get<Reply>(std::move(begun));
    }
    const bool goes_on = co_await answer(std::move(reply), keep_alive);
    co_return goes_on;
}

Result<> Session::check_body_rules() const {
    const auto& [is_http_1_1, keep_alive, chunked, length, expects_continue] = exchange_.framing;
    const bool has_length = chunked || length.has_value();
    if (exchange_.head.method == "POST" && !has_length)
        return fail(ErrorCode::LengthRequired,
                    "Send a JSON body, or Content-Length: 0 for an empty one.");
    if (exchange_.head.method == "GET" && (chunked || length.value_or(0) > 0))
        return fail(ErrorCode::BadRequest, "A GET takes no body.");
    if (length.value_or(0) > shared_.config.body_bytes_max)
        return fail(ErrorCode::BodyTooLarge, "The body must have at most " +
                                                 std::to_string(shared_.config.body_bytes_max) +
                                                 " bytes.");
    return {};
}

asio::awaitable<Reply> Session::carry_out(storage::Command command) {
    const auto* acquire = std::get_if<storage::AcquireLock>(&command.operation);
    storage::Answer answer;
    if (acquire != nullptr && acquire->wait > Duration::zero()) {
        answer = co_await wait_for_lock(std::move(command));
    } else {
        const auto ticket = thread_.new_ticket();
        answer = co_await thread_.ask(shared_.engine, ticket, std::move(command));
    }
    co_return shared_.service.finish(exchange_, std::move(answer));
}

// While the engine keeps the request waiting, somebody must notice that its client has left: a
// lock granted to nobody would stand for a whole TTL. So the connection is read meanwhile.
asio::awaitable<storage::Answer> Session::wait_for_lock(storage::Command command) {
    const auto ticket = thread_.new_ticket();
    auto watching = watch_peer(ticket);
    start_watching(std::move(watching));
    auto answer = co_await thread_.ask(shared_.engine, ticket, std::move(command));
    co_await stop_watching();
    co_return answer;
}

void Session::start_watching(asio::awaitable<void> watching) {
    is_watching_ = true;
    is_answered_ = false;
    asio::co_spawn(thread_.context(), std::move(watching), [this](std::exception_ptr) {
        is_watching_ = false;
        watch_ended_.cancel();
    });
}

asio::awaitable<void> Session::stop_watching() {
    is_answered_ = true;
    error_code ignored;
    while (is_watching_) {  // again and again: a cancel may meet no pending operation
        stream_.next_layer().cancel(ignored);
        watch_ended_.expires_after(kWatchLook);
        [[maybe_unused]] auto [ec] = co_await watch_ended_.async_wait(kAwait);
    }
}

asio::awaitable<void> Session::watch_peer(storage::Ticket ticket) {
    // What arrives is the next request, sent ahead: it stays in the buffer.
    while (!is_answered_ && buffer_.size() < shared_.config.header_bytes_max) {
        const bool is_there = co_await read_more(kWatchBytes);
        if (!is_there) break;
    }
    // Gone, or talking so much ahead that its leaving would not be noticed: nothing is granted.
    if (!is_answered_) shared_.engine->cancel(ticket);
}

asio::awaitable<bool> Session::answer(Reply reply, bool may_keep_alive) {
    // Draining may have begun since the request came.
    const bool keep_alive = may_keep_alive && !is_draining_;
    out_.clear();
    write_reply(reply, exchange_.request_id, thread_.http_date(), keep_alive, out_);
    // RFC 9110 §9.3.2: content after a HEAD would be read as the beginning of the next answer.
    if (exchange_.head.method == "HEAD") out_.resize(out_.size() - reply.body.size());
    std::string().swap(reply.body);  // is in out_, and the client may take its time
    // Before the client can know: its next scrape must show what it was told.
    log(reply, out_.size());
    set_deadline(shared_.config.write_timeout);
    const auto bytes = asio::buffer(out_);
    auto [ec, size] = co_await asio::async_write(stream_, bytes, kAwait);
    clear_deadline();
    // A list may have megabytes, and a connection may idle for long behind it. Swapped, because an
    // assignment of nothing keeps the memory.
    if (out_.capacity() > kKeptBytes) std::string().swap(out_);
    co_return !ec && keep_alive;
}

void Session::log(const Reply& reply, std::size_t bytes_out) {
    const auto elapsed = shared_.clock.boot_now() - started_;
    const auto listener = shared_.service.listener();
    shared_.metrics.http_request(listener, exchange_.route_id, reply.status, elapsed);
    std::string_view trace_id;
    if (exchange_.head.traceparent && is_valid_traceparent(*exchange_.head.traceparent))
        trace_id = exchange_.head.traceparent->substr(3, 32);
    shared_.access_log.write(
        {.listener = listener == Listener::Public ? "public" : "admin",
         .request_id = exchange_.request_id,
         .trace_id = trace_id,
         .peer = peer_,
         .principal = exchange_.principal,
         .method = exchange_.head.method,
         .route = exchange_.route_id == 0 ? "unmatched" : exchange_.route_pattern,
         .status = reply.status,
         .code = reply.code,
         .fence_status = reply.fence_status,
         .bytes_in = head_.size() + body_.size(),
         .bytes_out = bytes_out,
         .micros = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()});
}

// Closing with unread input resets the connection and may destroy the reply on its way, so what
// still comes is read and thrown away for a moment (RFC 9112 §9.6).
asio::awaitable<void> Session::say_goodbye() {
    set_deadline(kGoodbyeTimeout);
    [[maybe_unused]] auto [shut] = co_await stream_.async_shutdown(kAwait);
    error_code ignored;
    stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> sink{};
    const auto space = asio::buffer(sink);
    std::size_t thrown_away = 0;
    while (!is_overdue_ && thrown_away < kGoodbyeBytesMax) {
        auto [ec, size] = co_await stream_.next_layer().async_read_some(space, kAwait);
        if (ec) break;
        thrown_away += size;
    }
    stream_.next_layer().close(ignored);
}

}  // namespace fencegate::proxy
