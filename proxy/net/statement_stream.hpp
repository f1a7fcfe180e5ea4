#pragma once
// StatementStream: an answer that is longer than memory should hold. The store is asked for a page,
// the page is written as a chunk, and only then the next is asked for: a slow client slows itself.
// A statement that is cut off has no last chunk and no closing line.
// A page is up to a megabyte of text, and a client may take half a minute for it: so there are only
// as many at once as Config::statements_max says, and their memory ends with them.
// Thread rule: as its connection.

#include "proxy/net/connection.hpp"
#include "proxy/streams/statement.hpp"

#include <optional>
#include <string>

namespace fencegate::proxy {

class StatementStream {
public:
    struct End {
        std::optional<storage::Answer>
            refusal{};  // of the store or for want of room; nothing was sent
        std::size_t bytes_sent = 0;
        bool is_whole = false;  // and the connection is in order
    };

    // Both outlive it.
    StatementStream(Connection& connection, const Exchange& exchange)
        : connection_(connection), exchange_(exchange) {}

    // Hangs up on a client that would take a part for the whole.
    asio::awaitable<End> write(StatementRequest request, bool keep_alive);

private:
    struct Progress;
    asio::awaitable<storage::Answer> write_pages(Progress* progress);
    asio::awaitable<void> send_piece(Progress* progress);
    asio::awaitable<void> note_departure();

    Connection& connection_;
    const Exchange& exchange_;
    bool is_peer_gone_ = false;
};

}  // namespace fencegate::proxy
