#pragma once
// LockWait: an acquire that the engine may keep waiting. Somebody must notice meanwhile that its
// client has left: a lock granted to nobody would stand for a whole TTL. So the connection is read.
// Thread rule: as its connection.

#include "proxy/net/connection.hpp"

namespace fencegate::proxy {

class LockWait {
public:
    // `connection` outlives it.
    explicit LockWait(Connection& connection) : connection_(connection) {}

    // Returns the engine's answer; a client that leaves is taken out of the line first.
    asio::awaitable<storage::Answer> ask(storage::Command command);

private:
    asio::awaitable<void> watch_peer(storage::Ticket ticket);

    Connection& connection_;
};

}  // namespace fencegate::proxy
