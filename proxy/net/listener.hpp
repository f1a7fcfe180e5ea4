#pragma once
// ListenSocket: accepts connections and hands them to session threads in turn. Bounded by the
// connection limit; out of descriptors it backs off instead of spinning.
// Thread rule: made on any thread before its context runs; close() from any thread.

#include "proxy/config/endpoint.hpp"
#include "proxy/net/asio.hpp"
#include "proxy/net/session.hpp"
#include "proxy/tls/tls_context.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace fencegate::proxy {

class ListenSocket {
public:
    // Takes the address; nobody can connect before open(). Fails with: StartFailure Unavailable.
    [[nodiscard]] static Result<tcp::acceptor> bind(asio::io_context& context,
                                                    const Endpoint& endpoint);

    // Listens on an address that was bound. Fails with: StartFailure Unavailable.
    // `threads`, `tls` and `shared` outlive it; accepting runs on threads.front().
    [[nodiscard]] static Result<std::unique_ptr<ListenSocket>> open(tcp::acceptor bound,
                                                                    std::vector<IoThread*> threads,
                                                                    const TlsSource& tls,
                                                                    const SessionShared& shared,
                                                                    std::size_t connections_max);

    // With the port the system picked, where it was asked to.
    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }

    void start();
    void close();
    [[nodiscard]] std::size_t connections() const;

private:
    ListenSocket(std::vector<IoThread*> threads, const TlsSource& tls, const SessionShared& shared,
                 std::size_t connections_max);

    asio::awaitable<void> accept_all();
    void take(tcp::socket socket, IoThread& home);
    // Counted each time, told once a minute: a client that comes again and again fills no log.
    void tell_refused();

    std::vector<IoThread*> threads_;
    const TlsSource& tls_;
    const SessionShared& shared_;
    std::size_t connections_max_;
    tcp::acceptor acceptor_;
    Endpoint endpoint_;
    std::size_t next_ = 0;
    std::optional<BootTime> told_full_;
};

}  // namespace fencegate::proxy
