// What a socket is told so that its kernel notices a peer that has died without a word.
#include "proxy/net/dead_peers.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fencegate::proxy {
namespace {

class Socket {
public:
    explicit Socket(int domain) : fd(::socket(domain, SOCK_STREAM, 0)) {}
    ~Socket() { ::close(fd); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    [[nodiscard]] int option(int level, int name) const {
        int value = -1;
        socklen_t size = sizeof value;
        return ::getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
    }

    int fd;
};

TEST(DeadPeers, AreAskedForAndGivenUpInFortySeconds) {
    const Socket socket(AF_INET);

    ASSERT_TRUE(notice_dead_peer(socket.fd));

    EXPECT_EQ(socket.option(SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(socket.option(IPPROTO_TCP, TCP_KEEPIDLE), 15);
    EXPECT_EQ(socket.option(IPPROTO_TCP, TCP_KEEPINTVL), 5);
    EXPECT_EQ(socket.option(IPPROTO_TCP, TCP_KEEPCNT), 8);
    EXPECT_EQ(socket.option(IPPROTO_TCP, TCP_USER_TIMEOUT), 40'000);
}

TEST(DeadPeers, AreToldOfWhereTheSystemCannotFindThem) {
    const Socket local(AF_UNIX);

    EXPECT_FALSE(notice_dead_peer(local.fd));
}

}  // namespace
}  // namespace fencegate::proxy
