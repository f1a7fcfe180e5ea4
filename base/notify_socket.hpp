#pragma once
// NotifySocket: tells the service manager how the process fares, a datagram each: serving,
// reloading, stopping, alive. Without a manager that listens it tells nobody, and nothing else
// changes. Owns its socket. Refuses to own: when to tell what. Thread rule: any thread; nothing
// changes after the construction. Errors: a datagram that does not get through is lost. A manager
// that takes none holds up its sender for a second at most. Source: sd_notify(3),
// sd_watchdog_enabled(3).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate {

class NotifySocket {
public:
    struct Options {
        std::string address{};  // a path, or "@NAME" in the abstract name space; empty: nobody
        std::optional<std::chrono::microseconds> patience{};
    };

    explicit NotifySocket(const Options& options);
    ~NotifySocket();
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    // As the manager set NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    [[nodiscard]] static Options of_environment();

    // Also after reloading(), whatever came of it.
    void ready() const { tell("READY=1"); }
    void reloading() const;
    void stopping() const { tell("STOPPING=1"); }
    void alive() const { tell("WATCHDOG=1"); }

    // How long the manager goes without alive() before it ends the process; nullopt: for ever.
    [[nodiscard]] std::optional<std::chrono::microseconds> patience() const noexcept {
        return patience_;
    }

private:
    void tell(std::string_view message) const;

    int socket_ = -1;  // connected; -1: nobody listens
    std::optional<std::chrono::microseconds> patience_;
};

}  // namespace fencegate
