#include "proxy/net/statement_stream.hpp"

#include "proxy/config/config.hpp"

#include <charconv>
#include <utility>

namespace fencegate::proxy {
namespace {

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

struct StatementStream::Progress {
    StatementWriter writer;
    bool is_chunked = true;
    bool keep_alive = true;
    bool has_begun = false;
    std::string text{};  // not yet sent
    std::string out{};   // being sent
    std::size_t bytes_sent = 0;

    [[nodiscard]] bool has_piece() const {
        return text.size() >= kChunkBytesMin || writer.is_complete();
    }
};

asio::awaitable<StatementStream::End> StatementStream::write(StatementRequest request,
                                                             bool keep_alive) {
    const auto& shared = connection_.shared();
    const WatchLog::Seat seat(shared.statements);
    End end;
    if (++shared.statements > shared.config.statements_max) {
        end.refusal.emplace().error = no_room();
        co_return end;
    }
    Progress progress{.writer = StatementWriter(std::move(request)),
                      .is_chunked = exchange_.framing.is_http_1_1,
                      .keep_alive = keep_alive};
    auto watching = note_departure();
    connection_.start_watching(std::move(watching));
    auto page = co_await write_pages(&progress);
    const bool is_whole = progress.writer.is_complete() && !is_peer_gone_;
    const bool is_refused = page.error && !progress.has_begun && !is_peer_gone_;
    // The client must not take what it has for the whole.
    if (!is_whole && !is_refused) connection_.hang_up();
    co_await connection_.stop_watching();
    if (is_refused) end.refusal = std::move(page);
    end.bytes_sent = progress.bytes_sent;
    end.is_whole = is_whole && progress.is_chunked;
    co_return end;
}

// Returns the answer that ended it: a refusal, or the last page.
asio::awaitable<storage::Answer> StatementStream::write_pages(Progress* progress) {
    auto& thread = connection_.thread();
    auto* engine = connection_.shared().engine;
    storage::Answer page;
    while (!progress->writer.is_complete() && !is_peer_gone_) {
        storage::Operation operation = progress->writer.next();
        storage::Command command{exchange_.principal, exchange_.request_id, std::move(operation),
                                 exchange_.match.route->pattern};
        const auto ticket = thread.new_ticket();
        page = co_await thread.ask(engine, ticket, std::move(command));
        if (page.error || !page.statement) break;
        progress->writer.take(*page.statement, progress->text);
        page.statement.reset();
        if (progress->has_piece()) co_await send_piece(progress);
    }
    co_return page;
}

asio::awaitable<void> StatementStream::send_piece(Progress* progress) {
    auto& out = progress->out;
    out.clear();
    if (!progress->has_begun)
        write_body_head(progress->writer.content_type(), exchange_.request_id,
                        connection_.thread().http_date(), progress->is_chunked,
                        progress->keep_alive, out);
    progress->has_begun = true;
    if (progress->is_chunked) {
        append_chunk(progress->text, out);
        if (progress->writer.is_complete()) out.append("0\r\n\r\n");
    } else {
        out.append(progress->text);
    }
    progress->text.clear();
    const auto sent = co_await connection_.send(out, connection_.config().write_timeout);
    progress->bytes_sent += sent.bytes;
    if (!sent.is_all) is_peer_gone_ = true;
}

// Who has gone reads no more of it.
asio::awaitable<void> StatementStream::note_departure() {
    const bool has_left = co_await connection_.notice_departure();
    if (has_left) is_peer_gone_ = true;
}

}  // namespace fencegate::proxy
