#include "proxy/net/dead_peers.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace fencegate::proxy {
namespace {

bool set(int socket, int level, int option, std::int64_t value) noexcept {
    const auto number = static_cast<int>(value);
    return ::setsockopt(socket, level, option, &number, sizeof number) == 0;
}

std::int64_t seconds(Duration span) noexcept { return span.count() / 1'000; }

}  // namespace

bool notice_dead_peer(int socket) noexcept {
    const auto asks = kPeerSilentMax / kPeerAskedAgain;
    return set(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds(kPeerAskedAfter)) &&
           set(socket, IPPROTO_TCP, TCP_KEEPINTVL, seconds(kPeerAskedAgain)) &&
           set(socket, IPPROTO_TCP, TCP_KEEPCNT, asks) &&
           // Where it is set, it also says when a peer that was asked counts as dead.
           set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kPeerSilentMax.count()) &&
           set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}

}  // namespace fencegate::proxy
