#include "base/notify_socket.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace fencegate {
namespace {

constexpr timeval kSendMax{.tv_sec = 1, .tv_usec = 0};

std::string_view variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<std::int64_t> positive(std::string_view text) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || number <= 0) return std::nullopt;
    return number;
}

// Connected to `address`, or -1.
int connect_to(std::string_view address) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address.size() < 2 || address.size() >= sizeof name.sun_path) return -1;
    if (address.front() != '/' && address.front() != '@') return -1;
    std::memcpy(name.sun_path, address.data(), address.size());
    if (address.front() == '@') name.sun_path[0] = '\0';
    const int made = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (made < 0) return -1;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    if (::connect(made, reinterpret_cast<const sockaddr*>(&name), size) == 0) {
        ::setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &kSendMax, sizeof kSendMax);
        return made;
    }
    ::close(made);
    return -1;
}

// The manager compares it with its own, so it is not one of Clock's.
std::int64_t monotonic_usec() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

NotifySocket::NotifySocket(const Options& options) : socket_(connect_to(options.address)) {
    if (socket_ >= 0) patience_ = options.patience;
}

NotifySocket::~NotifySocket() {
    if (socket_ >= 0) ::close(socket_);
}

NotifySocket::Options NotifySocket::of_environment() {
    Options options{.address = std::string(variable("NOTIFY_SOCKET"))};
    // A child of the service inherits both, but is not the one that is waited for.
    const auto who = variable("WATCHDOG_PID");
    if (!who.empty() && positive(who) != std::int64_t{::getpid()}) return options;
    if (const auto usec = positive(variable("WATCHDOG_USEC")))
        options.patience = std::chrono::microseconds(*usec);
    return options;
}

void NotifySocket::reloading() const {
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_usec()));
}

void NotifySocket::tell(std::string_view message) const {
    if (socket_ >= 0) (void)::send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
}

}  // namespace fencegate
