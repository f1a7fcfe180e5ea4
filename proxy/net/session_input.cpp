// The reading half of Session: heads and bodies, under their deadlines and limits.
#include "proxy/config/config.hpp"
#include "proxy/net/session.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kReadBytes = 8192;

std::string_view received(const beast::flat_buffer& buffer) {
    const auto data = buffer.cdata();
    return {static_cast<const char*>(data.data()), data.size()};
}

}  // namespace

asio::awaitable<Session::HeadRead> Session::read_head() {
    const auto& config = shared_.config;
    std::size_t scanned = 0;
    is_idle_ = buffer_.size() == 0;
    // Who has not asked for anything yet gets no more time than for a head.
    auto patience = config.idle_timeout;
    if (served_ == 0) patience = std::min(patience, config.header_timeout);
    if (is_draining_) patience = std::min(patience, kLastRequestGrace);
    set_deadline(is_idle_ ? patience : config.header_timeout);
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
        scanned = bytes.size();
        const bool has_more = co_await read_more(config.header_bytes_max - bytes.size());
        if (!has_more) co_return is_overdue_ && !is_idle_ ? HeadRead::TimedOut : HeadRead::Closed;
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
    if (ec || is_overdue_) co_return false;
    buffer_.commit(size);
    co_return true;
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
        if (!has_more)
            co_return fail(ErrorCode::RequestTimeout, "The body did not arrive in time.");
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
    if (ec && ec != http::error::need_more)
        co_return fail(ErrorCode::BadRequest, "The head cannot be read.");
    const auto fields = std::ranges::distance(parser.get());
    while (!parser.is_done()) {
        ec = {};
        const auto used = parser.put(buffer_.data(), ec);
        buffer_.consume(used);
        if (ec == http::error::body_limit || used > raw_left)
            co_return fail(ErrorCode::BodyTooLarge,
                           "The body must have at most " + std::to_string(body_max) + " bytes.");
        raw_left -= used;
        if (ec && ec != http::error::need_more)
            co_return fail(ErrorCode::BadRequest, "The chunked framing is broken.");
        if (parser.is_done()) break;
        if (buffer_.size() > raw_left || raw_left == 0)
            co_return fail(ErrorCode::BodyTooLarge, "The chunked framing is out of proportion.");
        const bool has_more = co_await read_more(kReadBytes);
        if (!has_more)
            co_return fail(ErrorCode::RequestTimeout, "The body did not arrive in time.");
    }
    if (std::ranges::distance(parser.get()) != fields)
        co_return fail(ErrorCode::BadRequest, "Trailer fields are not accepted.");
    body_ = std::move(parser.get().body());
    co_return Result<>();
}

}  // namespace fencegate::proxy
