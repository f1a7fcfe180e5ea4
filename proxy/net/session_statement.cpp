// Statements: answers that are longer than memory should hold. The store is asked for a page, the
// page is written as a chunk, and only then the next is asked for: a slow client slows itself.
// A statement that is cut off has no last chunk and no closing line.
// A page is up to a megabyte of text, and a client may take half a minute for it: so there are only
// as many at once as Config::statements_max says, and their memory ends with them.
#include "proxy/config/config.hpp"
#include "proxy/net/session.hpp"

#include <charconv>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kWatchBytes = 4'096;
constexpr std::size_t kChunkBytesMin = 16'384;  // a TLS record

Error no_room() {
    return {ErrorCode::Overloaded,
            "As many statements as may (statements_max) are being written. Retry later.",
            {},
            1'000};
}

// RFC 9112 §7.1.
void append_chunk(std::string_view text, std::string& out) {
    char size[16];
    const auto [end, ec] = std::to_chars(size, size + sizeof size, text.size(), 16);
    out.append(size, end).append("\r\n").append(text).append("\r\n");
}

}  // namespace

struct Session::StatementInProgress {
    StatementWriter writer;
    bool is_chunked = true;
    bool keep_alive = true;
    bool has_begun = false;
    std::string text{};  // not yet sent
    std::size_t bytes_sent = 0;

    [[nodiscard]] bool has_piece() const {
        return text.size() >= kChunkBytesMin || writer.is_complete();
    }
};

asio::awaitable<bool> Session::serve_statement(StatementRequest request, bool keep_alive) {
    const WatchLog::Seat seat(shared_.statements);
    if (++shared_.statements > shared_.config.statements_max) {
        auto refused = refuse(no_room(), exchange_.request_id);
        const bool goes_on = co_await answer(std::move(refused), keep_alive);
        co_return goes_on;
    }
    StatementInProgress statement{.writer = StatementWriter(std::move(request)),
                                  .is_chunked = exchange_.framing.is_http_1_1,
                                  .keep_alive = keep_alive};
    is_peer_gone_ = false;
    auto watching = note_departure();
    start_watching(std::move(watching));
    storage::Answer page;
    while (!statement.writer.is_complete() && !is_peer_gone_) {
        storage::Operation operation = statement.writer.next();
        storage::Command command{exchange_.principal, exchange_.request_id, std::move(operation),
                                 exchange_.route_pattern};
        const auto ticket = thread_.new_ticket();
        page = co_await thread_.ask(shared_.engine, ticket, std::move(command));
        if (page.error || !page.statement) break;
        statement.writer.take(*page.statement, statement.text);
        page.statement.reset();
        if (statement.has_piece()) co_await send_piece(&statement);
    }
    const bool is_whole = statement.writer.is_complete() && !is_peer_gone_;
    const bool is_refused = page.error && !statement.has_begun && !is_peer_gone_;
    // The client must not take what it has for the whole.
    if (!is_whole && !is_refused) hang_up();
    co_await stop_watching();
    std::string().swap(out_);  // the connection may idle for long
    if (is_refused) {
        auto refused = shared_.service.finish(exchange_, std::move(page));
        const bool goes_on = co_await answer(std::move(refused), keep_alive);
        co_return goes_on;
    }
    log(Reply{}, statement.bytes_sent);
    const bool goes_on = is_whole && statement.is_chunked && keep_alive && !is_draining_;
    co_return goes_on;
}

asio::awaitable<void> Session::send_piece(StatementInProgress* statement) {
    out_.clear();
    if (!statement->has_begun)
        write_body_head(statement->writer.content_type(), exchange_.request_id, thread_.http_date(),
                        statement->is_chunked, statement->keep_alive, out_);
    statement->has_begun = true;
    if (statement->is_chunked) {
        append_chunk(statement->text, out_);
        if (statement->writer.is_complete()) out_.append("0\r\n\r\n");
    } else {
        out_.append(statement->text);
    }
    statement->text.clear();
    set_deadline(shared_.config.write_timeout);
    const auto bytes = asio::buffer(out_);
    auto [ec, size] = co_await asio::async_write(stream_, bytes, kAwait);
    clear_deadline();
    statement->bytes_sent += size;
    if (ec) is_peer_gone_ = true;
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
