#include "proxy/session.hpp"

#include "proxy/access_log.hpp"
#include "proxy/config.hpp"
#include "proxy/request_headers.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kReadBytes = 8192;
constexpr Duration kGoodbyeTimeout{2'000};
constexpr std::size_t kGoodbyeBytesMax = std::size_t{256} << 10;

std::string_view received(const beast::flat_buffer& buffer) {
    const auto data = buffer.cdata();
    return {static_cast<const char*>(data.data()), data.size()};
}

}  // namespace

asio::awaitable<void> Session::serve(TlsStream stream, std::string peer, IoThread* thread,
                                     const SessionShared* shared) {
    Session session(std::move(stream), std::move(peer), *thread, *shared);
    auto running = session.run();
    co_await std::move(running);
}

Session::Session(TlsStream stream, std::string peer, IoThread& thread,
                 const SessionShared& shared)
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
    error_code ignored;
    // A request that is on its way in is served; only a connection that waits for one ends now.
    if (is_idle_ && stream_.next_layer().available(ignored) == 0)
        stream_.next_layer().cancel(ignored);
}

void Session::sweep(BootTime now) {
    if (!deadline_ || now < *deadline_) return;
    deadline_.reset();
    is_overdue_ = true;
    error_code ignored;
    stream_.next_layer().cancel(ignored);
}

void Session::set_deadline(Duration from_now) {
    deadline_ = shared_.clock.boot_now() + from_now;
    is_overdue_ = false;
}

asio::awaitable<void> Session::run() {
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
        Error error{ErrorCode::HeaderTooLarge, "The request head is larger than this gateway takes.",
                    {}, -1};
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

asio::awaitable<Session::HeadRead> Session::read_head() {
    const auto& config = shared_.config;
    std::size_t scanned = 0;
    is_idle_ = buffer_.size() == 0;
    set_deadline(is_idle_ ? config.idle_timeout : config.header_timeout);
    started_ = shared_.clock.boot_now();
    for (;;) {
        const auto bytes = received(buffer_);
        const auto end = find_head_end(bytes, scanned);
        if (end && *end <= config.header_bytes_max) {
            head_.assign(bytes.substr(0, *end));
            buffer_.consume(*end);
            clear_deadline();
            co_return HeadRead::Ready;
        }
        if (bytes.size() >= config.header_bytes_max) co_return HeadRead::TooLarge;
        if (is_idle_ && is_draining_) co_return HeadRead::Closed;
        scanned = bytes.size();
        const bool has_more = co_await read_more(config.header_bytes_max - bytes.size());
        if (!has_more)
            co_return is_overdue_ && !is_idle_ ? HeadRead::TimedOut : HeadRead::Closed;
        if (is_idle_) {  // absolute from here: a byte now and then does not buy time
            is_idle_ = false;
            set_deadline(config.header_timeout);
            started_ = shared_.clock.boot_now();
        }
    }
}

asio::awaitable<bool> Session::read_more(std::size_t limit) {
    const auto space = buffer_.prepare(std::min(limit, kReadBytes));
    auto [ec, size] = co_await stream_.async_read_some(space, kAwait);
    if (ec) co_return false;
    buffer_.commit(size);
    co_return true;
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
    bool keep_alive = exchange_.framing.keep_alive && !is_draining_ &&
                      served_ < shared_.config.requests_per_connection_max;
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
    auto reply = co_await carry_out();
    const bool goes_on = co_await answer(std::move(reply), keep_alive && !is_draining_);
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
        return fail(ErrorCode::BodyTooLarge,
                    "The body must have at most " +
                        std::to_string(shared_.config.body_bytes_max) + " bytes.");
    return {};
}

bool Session::skip_body() {
    if (exchange_.framing.chunked) return false;
    const auto size = exchange_.framing.content_length.value_or(0);
    if (size > buffer_.size()) return false;
    buffer_.consume(static_cast<std::size_t>(size));
    return true;
}

asio::awaitable<Result<>> Session::read_body() {
    if (!exchange_.framing.chunked && exchange_.framing.content_length.value_or(0) == 0)
        co_return Result<>();
    set_deadline(shared_.config.body_timeout);
    if (exchange_.framing.expects_continue && buffer_.size() == 0) {
        const bool is_sent = co_await send_continue();
        if (!is_sent) co_return fail(ErrorCode::RequestTimeout, "The client stopped reading.");
    }
    Result<> result;
    if (exchange_.framing.chunked) {
        result = co_await read_chunked_body();
    } else {
        result = co_await read_sized_body(*exchange_.framing.content_length);
    }
    clear_deadline();
    co_return result;
}

asio::awaitable<bool> Session::send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto bytes = asio::buffer(kContinue);
    auto [ec, size] = co_await asio::async_write(stream_, bytes, kAwait);
    co_return !ec;
}

asio::awaitable<Result<>> Session::read_sized_body(std::uint64_t size) {
    while (buffer_.size() < size) {
        const bool has_more = co_await read_more(static_cast<std::size_t>(size) - buffer_.size());
        if (!has_more) co_return fail(ErrorCode::RequestTimeout, "The body did not arrive in time.");
    }
    body_.assign(received(buffer_).substr(0, static_cast<std::size_t>(size)));
    buffer_.consume(static_cast<std::size_t>(size));
    co_return Result<>();
}

// The one thing Beast's parser is used for: chunked framing. The head has been through our gate,
// and its fields are counted before and after, because the parser merges trailers into them.
asio::awaitable<Result<>> Session::read_chunked_body() {
    const auto body_max = shared_.config.body_bytes_max;
    std::size_t raw_left = 2 * body_max + kReadBytes;  // chunk heads are not under body_limit
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(shared_.config.header_bytes_max) + 1);
    parser.body_limit(body_max);
    parser.eager(true);
    error_code ec;
    parser.put(asio::buffer(head_), ec);
    const auto fields = std::ranges::distance(parser.get());
    while (!parser.is_done()) {
        ec = {};
        const auto used = parser.put(buffer_.data(), ec);
        buffer_.consume(used);
        if (ec == http::error::body_limit || used > raw_left)
            co_return fail(ErrorCode::BodyTooLarge, "The body must have at most " +
                                                        std::to_string(body_max) + " bytes.");
        raw_left -= used;
        if (ec && ec != http::error::need_more)
            co_return fail(ErrorCode::BadRequest, "The chunked framing is broken.");
        if (parser.is_done()) break;
        if (buffer_.size() > raw_left || raw_left == 0)
            co_return fail(ErrorCode::BodyTooLarge, "The chunked framing is out of proportion.");
        const bool has_more = co_await read_more(kReadBytes);
        if (!has_more) co_return fail(ErrorCode::RequestTimeout, "The body did not arrive in time.");
    }
    if (std::ranges::distance(parser.get()) != fields)
        co_return fail(ErrorCode::BadRequest, "Trailer fields are not accepted.");
    body_ = std::move(parser.get().body());
    co_return Result<>();
}

asio::awaitable<Reply> Session::carry_out() {
    auto begun = shared_.service.begin(exchange_, body_);
    if (auto* reply = std::get_if<Reply>(&begun)) co_return std::move(*reply);
    auto command = std::get<storage::Command>(std::move(begun));
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
    is_watching_ = true;
    is_answered_ = false;
    watch_ended_.expires_at(asio::steady_timer::time_point::max());
    auto watching = watch_peer(ticket);
    asio::co_spawn(thread_.context(), std::move(watching), [this](std::exception_ptr) {
        is_watching_ = false;
        watch_ended_.cancel();
    });
    auto answer = co_await thread_.ask(shared_.engine, ticket, std::move(command));
    is_answered_ = true;
    error_code ignored;
    while (is_watching_) {
        stream_.next_layer().cancel(ignored);
        [[maybe_unused]] auto [ec] = co_await watch_ended_.async_wait(kAwait);
    }
    co_return answer;
}

asio::awaitable<void> Session::watch_peer(storage::Ticket ticket) {
    // What arrives is the next request, sent ahead: it stays in the buffer.
    while (!is_answered_ && buffer_.size() < shared_.config.header_bytes_max) {
        const bool is_there = co_await read_more(kReadBytes);
        if (is_there) continue;
        if (!is_answered_) shared_.engine->cancel(ticket);
        co_return;
    }
}

asio::awaitable<bool> Session::answer(Reply reply, bool keep_alive) {
    out_.clear();
    write_reply(reply, exchange_.request_id, thread_.http_date(), keep_alive, out_);
    log(reply);  // before the client can know: its next scrape must show what it was told
    set_deadline(shared_.config.write_timeout);
    const auto bytes = asio::buffer(out_);
    auto [ec, size] = co_await asio::async_write(stream_, bytes, kAwait);
    clear_deadline();
    co_return !ec && keep_alive;
}

void Session::log(const Reply& reply) {
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
         .bytes_in = head_.size() + body_.size(),
         .bytes_out = out_.size(),
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
