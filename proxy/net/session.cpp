#include "proxy/net/session.hpp"

#include "proxy/config/config.hpp"
#include "proxy/http/authorize.hpp"
#include "proxy/http/request_headers.hpp"
#include "proxy/net/event_stream.hpp"
#include "proxy/net/lock_wait.hpp"
#include "proxy/net/statement_stream.hpp"
#include "proxy/telemetry/access_log.hpp"

#include <utility>

namespace fencegate::proxy {
namespace {

constexpr int kUnauthenticated = 401;
constexpr std::size_t kKeptBytes = 16'384;  // of a buffer, for the next answer

Error too_large() {
    return {
        ErrorCode::HeaderTooLarge, "The request head is larger than this gateway takes.", {}, -1};
}

Error too_late() {
    return {ErrorCode::RequestTimeout, "The request head did not arrive in time.", {}, -1};
}

Error no_seat() {
    return {ErrorCode::Overloaded,
            "As many clients as may (watchers_max) are watching. Retry later.",
            {},
            5'000};
}

Error draining() { return {ErrorCode::Draining, "The gateway is shutting down.", {}, 1'000}; }

}  // namespace

asio::awaitable<void> Session::serve(TlsStream stream, std::string peer, IoThread* thread,
                                     const SessionShared* shared) {
    Session session(std::move(stream), std::move(peer), *thread, *shared);
    try {
        auto running = session.run();
        co_await std::move(running);
    } catch (const std::exception& fault) {
        shared->log.error(std::string("a connection ended on an unexpected error: ") + fault.what(),
                          {{"request_id", session.exchange_.request_id}});
    }
}

Session::Session(TlsStream stream, std::string peer, IoThread& thread, const SessionShared& shared)
    : connection_(std::move(stream), std::move(peer), thread, shared),
      shared_(shared),
      place_(thread.enter(*this)) {
    shared_.metrics.http_connections(shared_.service.listener(), 1);
}

Session::~Session() {
    shared_.metrics.http_connections(shared_.service.listener(), -1);
    connection_.thread().leave(place_);
}

void Session::drain() {
    connection_.drain();
    if (input_.is_idle()) connection_.hurry(Connection::kLastRequestGrace);
}

asio::awaitable<void> Session::run() {
    if (connection_.thread().is_draining()) connection_.drain();  // accepted just before
    const bool is_secure = co_await connection_.shake_hands();
    if (!is_secure) co_return;
    bool goes_on = true;
    while (goes_on) goes_on = co_await serve_one();
    co_await connection_.say_goodbye();
}

asio::awaitable<bool> Session::serve_one() {
    using HeadRead = RequestInput::HeadRead;
    const auto read = co_await input_.read_head(served_ == 0);
    if (read == HeadRead::Closed) co_return false;
    begin_exchange();
    if (read != HeadRead::Ready) {
        auto error = read == HeadRead::TooLarge ? too_large() : too_late();
        const bool goes_on = co_await refuse_and_go_on(std::move(error), false);
        co_return goes_on;
    }
    auto framing = check_framing(input_.head());
    if (!framing) {
        const bool goes_on = co_await refuse_and_go_on(std::move(framing.error()), false);
        co_return goes_on;
    }
    exchange_.framing = *framing;
    exchange_.head = proxy::read_head(input_.head());
    const bool goes_on = co_await serve_exchange();
    co_return goes_on;
}

void Session::begin_exchange() {
    exchange_ = Exchange{};
    exchange_.request_id =
        to_string(uuid_v7(shared_.clock.wall_now(), connection_.thread().random()));
    ++served_;
}

asio::awaitable<bool> Session::serve_exchange() {
    bool keep_alive = exchange_.framing.keep_alive && exchange_.framing.is_http_1_1 &&
                      !connection_.is_draining() &&
                      served_ < shared_.config.requests_per_connection_max;
    auto admitted = shared_.service.admit(exchange_);
    if (admitted) admitted = check_body_rules();
    if (!admitted) {
        keep_alive = input_.skip_body(exchange_.framing) && keep_alive;
        const bool goes_on = co_await refuse_and_go_on(std::move(admitted.error()), keep_alive);
        co_return goes_on;
    }
    auto has_body = co_await input_.read_body(exchange_.framing);
    if (!has_body) {
        const bool goes_on = co_await refuse_and_go_on(std::move(has_body.error()), false);
        co_return goes_on;
    }
    auto begun = shared_.service.begin(exchange_, input_.body());
    if (auto* subscription = std::get_if<Subscription>(&begun)) {
        auto streaming = serve_events(std::move(*subscription), keep_alive);
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
        LockWait waiting(connection_);
        answer = co_await waiting.ask(std::move(command));
    } else {
        auto& thread = connection_.thread();
        const auto ticket = thread.new_ticket();
        answer = co_await thread.ask(shared_.engine, ticket, std::move(command));
    }
    co_return shared_.service.finish(exchange_, std::move(answer));
}

asio::awaitable<bool> Session::serve_statement(StatementRequest request, bool keep_alive) {
    StatementStream statement(connection_, exchange_);
    std::string().swap(out_);  // the connection may idle for long behind it
    auto writing = statement.write(std::move(request), keep_alive);
    auto end = co_await std::move(writing);
    if (end.refusal) {
        auto refused = shared_.service.finish(exchange_, *std::move(end.refusal));
        const bool goes_on = co_await answer(std::move(refused), keep_alive);
        co_return goes_on;
    }
    log(Reply{}, end.bytes_sent);
    co_return end.is_whole&& keep_alive && !connection_.is_draining();
}

asio::awaitable<bool> Session::serve_events(Subscription subscription, bool keep_alive) {
    auto seat = shared_.watch_log->take_seat();
    if (!seat || connection_.is_draining()) {
        auto why = connection_.is_draining() ? draining() : no_seat();
        const bool goes_on = co_await refuse_and_go_on(std::move(why), keep_alive);
        co_return goes_on;
    }
    EventStream stream(connection_, exchange_, *std::move(seat));
    auto opening = stream.open(std::move(subscription));
    auto error = co_await std::move(opening);
    if (error) {
        const bool goes_on = co_await refuse_and_go_on(*std::move(error), keep_alive);
        co_return goes_on;
    }
    const auto end = co_await stream.serve();
    shared_.metrics.watch_ended(end);
    log(Reply{}, stream.bytes_sent());
    co_return false;
}

asio::awaitable<bool> Session::refuse_and_go_on(Error error, bool may_keep_alive) {
    auto reply = refuse(error, exchange_.request_id);
    const bool goes_on = co_await answer(std::move(reply), may_keep_alive);
    co_return goes_on;
}

asio::awaitable<bool> Session::answer(Reply reply, bool may_keep_alive) {
    // Draining may have begun since the request came.
    const bool keep_alive = may_keep_alive && !connection_.is_draining();
    out_.clear();
    write_reply(reply, exchange_.request_id, connection_.thread().http_date(), keep_alive, out_);
    // RFC 9110 §9.3.2: content after a HEAD would be read as the beginning of the next answer.
    if (exchange_.head.method == "HEAD") out_.resize(out_.size() - reply.body.size());
    std::string().swap(reply.body);  // is in out_, and the client may take its time
    // Before the client can know: its next scrape must show what it was told.
    log(reply, out_.size());
    const auto sent = co_await connection_.send(out_, shared_.config.write_timeout);
    // A list may have megabytes, and a connection may idle for long behind it. Swapped, because an
    // assignment of nothing keeps the memory.
    if (out_.capacity() > kKeptBytes) std::string().swap(out_);
    co_return sent.is_all&& keep_alive;
}

void Session::log(const Reply& reply, std::size_t bytes_out) {
    const auto elapsed = connection_.now() - input_.started();
    const auto listener = shared_.service.listener();
    const auto* route = exchange_.match.route;
    shared_.metrics.http_request(listener, exchange_.match.id, reply.status, elapsed);
    if (reply.status == kUnauthenticated)
        shared_.metrics.http_unauthenticated(listener, why_nobody(exchange_.head.authorization));
    std::string_view trace_id;
    if (exchange_.head.traceparent && is_valid_traceparent(*exchange_.head.traceparent))
        trace_id = exchange_.head.traceparent->substr(3, 32);
    shared_.access_log.write(
        {.listener = listener == Listener::Public ? "public" : "admin",
         .request_id = exchange_.request_id,
         .trace_id = trace_id,
         .peer = connection_.peer(),
         .principal = exchange_.principal,
         .method = exchange_.head.method,
         .route = route == nullptr ? "unmatched" : route->pattern,
         .status = reply.status,
         .code = reply.code,
         .fence_status = reply.fence_status,
         .bytes_in = input_.head().size() + input_.body().size(),
         .bytes_out = bytes_out,
         .micros = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count()});
}

}  // namespace fencegate::proxy
