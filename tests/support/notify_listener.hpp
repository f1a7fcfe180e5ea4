#pragma once
// NotifyListener: the service manager's end of NOTIFY_SOCKET, a real datagram socket in a folder of
// its own.
//
// Owns the socket and its folder. Thread rule: one thread. Errors: std::runtime_error when it
// cannot listen, or a message that is waited for does not come.

#include "tests/support/deadline.hpp"
#include "tests/support/temp_dir.hpp"

#include <chrono>
#include <cstring>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fencegate::testing {

class NotifyListener {
public:
    NotifyListener() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        const auto path = address();
        if (path.size() >= sizeof name.sun_path) throw std::runtime_error("too long: " + path);
        std::memcpy(name.sun_path, path.data(), path.size());
        if (::bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
            throw std::runtime_error("cannot listen on " + path);
    }
    ~NotifyListener() { ::close(socket_); }
    NotifyListener(const NotifyListener&) = delete;
    NotifyListener& operator=(const NotifyListener&) = delete;

    [[nodiscard]] std::string address() const { return (folder_.path() / "notify").string(); }

    // The next message, if one comes in time.
    [[nodiscard]] std::optional<std::string> next(std::chrono::milliseconds patience) const {
        pollfd entry{.fd = socket_, .events = POLLIN, .revents = 0};
        if (::poll(&entry, 1, static_cast<int>(patience.count())) <= 0) return std::nullopt;
        char bytes[4'096];
        const auto size = ::recv(socket_, bytes, sizeof bytes, 0);
        if (size < 0) return std::nullopt;
        return std::string(bytes, static_cast<std::size_t>(size));
    }
    // The next one that is no sign of life.
    [[nodiscard]] std::string next_event() const {
        const Deadline deadline(std::chrono::seconds(10));
        while (const auto message = next(std::chrono::milliseconds(deadline.remaining_ms())))
            if (*message != "WATCHDOG=1") return *message;
        throw std::runtime_error("the service manager was told nothing");
    }

private:
    TempDir folder_;
    int socket_;
};

}  // namespace fencegate::testing
