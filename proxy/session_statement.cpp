// Statements: answers that are longer than memory should hold. The store is asked for a page, the
// page is written as a chunk, and only then the next is asked for: a slow client slows itself.
// A statement that is cut off has no last chunk and no closing line.
#include "proxy/config.hpp"
#include "proxy/session.hpp"

#include <charconv>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kWatchBytes = 4'096;
constexpr std::size_t kChunkBytesMin = 16'384;  // a TLS record

// RFC 9112 §7.1.
void append_chunk(std::string_view text, std::string& out) {
    char size[16];
    const auto [end, ec] = std::to_chars(size, size + sizeof size, text.size(), 16);
    out.append(size, end).append("\r\n").append(text).append("\r\n");
}

}  // namespace

asio::awaitable<bool> Session::serve_statement(StatementRequest request, bool keep_alive) {
    StatementWriter writer(std::move(request));
    std::string text;
    const bool is_chunked = exchange_.framing.is_http_1_1;
    bool has_begun = false;
    std::size_t bytes_sent = 0;
    is_peer_gone_ = false;
    auto watching = note_departure();
    start_watching(std::move(watching));
    while (!writer.is_complete() && !is_peer_gone_) {
        storage::Operation operation = writer.next();
        storage::Command command{exchange_.principal, exchange_.request_id, std::move(operation),
                                 exchange_.route_pattern};
        const auto ticket = thread_.new_ticket();
        auto answer = co_await thread_.ask(shared_.engine, ticket, std::move(command));
        if (answer.error || !answer.statement) {
            co_await stop_watching();
            if (!has_begun) {
                auto refused = shared_.service.finish(exchange_, std::move(answer));
                const bool goes_on =
                    co_await this->answer(std::move(refused), keep_alive && !is_draining_);
                co_return goes_on;
            }
            log(200, {}, bytes_sent);
            hang_up();  // the client must not take what it has for the whole
            co_return false;
        }
        writer.take(*answer.statement, text);
        if (text.size() < kChunkBytesMin && !writer.is_complete()) continue;
        out_.clear();
        if (!has_begun)
            write_body_head(writer.content_type(), exchange_.request_id, thread_.http_date(),
                            is_chunked, keep_alive, out_);
        has_begun = true;
        if (is_chunked) {
            append_chunk(text, out_);
            if (writer.is_complete()) out_.append("0\r\n\r\n");
        } else {
            out_.append(text);
        }
        text.clear();
        set_deadline(shared_.config.write_timeout);
        const auto bytes = asio::buffer(out_);
        auto [ec, size] = co_await asio::async_write(stream_, bytes, kAwait);
        clear_deadline();
        bytes_sent += size;
        if (ec) is_peer_gone_ = true;
    }
    const bool is_whole = writer.is_complete() && !is_peer_gone_;
    if (!is_whole) hang_up();
    co_await stop_watching();
    log(200, {}, bytes_sent);
    co_return is_whole&& is_chunked&& keep_alive && !is_draining_;
}

// Reads the connection while a statement is written: what comes is the next request, sent ahead; an
// end means that nobody reads any more.
asio::awaitable<void> Session::note_departure() {
    while (!is_answered_ && buffer_.size() < shared_.config.header_bytes_max) {
        const bool is_there = co_await read_more(kWatchBytes);
        if (!is_there) break;
    }
    if (!is_answered_ && buffer_.size() < shared_.config.header_bytes_max) is_peer_gone_ = true;
}

}  // namespace fencegate::proxy
