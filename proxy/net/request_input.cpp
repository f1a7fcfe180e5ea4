#include "proxy/net/request_input.hpp"

#include "proxy/config/config.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kChunkReadBytes = 8192;

}  // namespace

asio::awaitable<RequestInput::HeadRead> RequestInput::read_head(bool is_first) {
    const auto& config = connection_.config();
    body_.clear();
    std::size_t scanned = 0;
    is_idle_ = connection_.received().empty();
    // Who has not asked for anything yet gets no more time than for a head.
    auto patience = config.idle_timeout;
    if (is_first) patience = std::min(patience, config.header_timeout);
    if (connection_.is_draining()) patience = std::min(patience, Connection::kLastRequestGrace);
    connection_.set_deadline(is_idle_ ? patience : config.header_timeout);
    started_ = connection_.now();
    for (;;) {
        const auto bytes = connection_.received();
        const auto end = find_head_end(bytes, scanned);
        if (end && *end <= config.header_bytes_max) {
            head_.assign(bytes.substr(0, *end));
            connection_.consume(*end);
            connection_.clear_deadline();
            co_return HeadRead::Ready;
        }
        if (bytes.size() >= config.header_bytes_max) co_return HeadRead::TooLarge;
        scanned = bytes.size();
        const bool has_more = co_await connection_.read_more(config.header_bytes_max - scanned);
        if (!has_more)
            co_return connection_.is_overdue() && !is_idle_ ? HeadRead::TimedOut : HeadRead::Closed;
        if (is_idle_) {  // absolute from here: a byte now and then does not buy time
            is_idle_ = false;
            connection_.set_deadline(config.header_timeout);
            started_ = connection_.now();
        }
    }
}

bool RequestInput::skip_body(const Framing& framing) {
    if (framing.chunked) return false;
    const auto size = framing.content_length.value_or(0);
    if (size > connection_.received().size()) return false;
    connection_.consume(static_cast<std::size_t>(size));
    return true;
}

asio::awaitable<Result<>> RequestInput::read_body(Framing framing) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!framing.chunked && framing.content_length.value_or(0) == 0) co_return Result<>();
    const auto patience = connection_.config().body_timeout;
    if (framing.expects_continue && connection_.received().empty()) {
        const auto sent = co_await connection_.send(kContinue, patience);
        if (!sent.is_all) co_return fail(ErrorCode::RequestTimeout, "The client stopped reading.");
    }
    connection_.set_deadline(patience);
    Result<> result;
    if (framing.chunked) {
        result = co_await read_chunked_body();
    } else {
        result = co_await read_sized_body(*framing.content_length);
    }
    connection_.clear_deadline();
    co_return result;
}

asio::awaitable<Result<>> RequestInput::read_sized_body(std::uint64_t size) {
    const auto wanted = static_cast<std::size_t>(size);
    while (connection_.received().size() < wanted) {
        const auto missing = wanted - connection_.received().size();
        const bool has_more = co_await connection_.read_more(missing);
        if (!has_more)
            co_return fail(ErrorCode::RequestTimeout, "The body did not arrive in time.");
    }
    body_.assign(connection_.received().substr(0, wanted));
    connection_.consume(wanted);
    co_return Result<>();
}

// The one thing Beast's parser is used for: chunked framing. The head has been through our gate,
// and its fields are counted before and after, because the parser merges trailers into them.
asio::awaitable<Result<>> RequestInput::read_chunked_body() {
    const auto body_max = connection_.config().body_bytes_max;
    std::size_t raw_left = 2 * body_max + kChunkReadBytes;  // chunk heads are not under body_limit
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(connection_.config().header_bytes_max) + 1);
    parser.body_limit(body_max);
    parser.eager(true);
    error_code ec;
    parser.put(asio::buffer(head_), ec);
    if (ec && ec != http::error::need_more)
        co_return fail(ErrorCode::BadRequest, "The head cannot be read.");
    const auto fields = std::ranges::distance(parser.get());
    while (!parser.is_done()) {
        ec = {};
        const auto used = parser.put(asio::buffer(connection_.received()), ec);
        connection_.consume(used);
        if (ec == http::error::body_limit || used > raw_left)
            co_return fail(ErrorCode::BodyTooLarge,
                           "The body must have at most " + std::to_string(body_max) + " bytes.");
        raw_left -= used;
        if (ec && ec != http::error::need_more)
            co_return fail(ErrorCode::BadRequest, "The chunked framing is broken.");
        if (parser.is_done()) break;
        if (connection_.received().size() > raw_left || raw_left == 0)
            co_return fail(ErrorCode::BodyTooLarge, "The chunked framing is out of proportion.");
        const bool has_more = co_await connection_.read_more(kChunkReadBytes);
        if (!has_more)
            co_return fail(ErrorCode::RequestTimeout, "The body did not arrive in time.");
    }
    if (std::ranges::distance(parser.get()) != fields)
        co_return fail(ErrorCode::BadRequest, "Trailer fields are not accepted.");
    body_ = std::move(parser.get().body());
    co_return Result<>();
}

}  // namespace fencegate::proxy
