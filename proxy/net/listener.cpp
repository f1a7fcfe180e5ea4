#include "proxy/net/listener.hpp"

#include "base/start_failure.hpp"
#include "proxy/net/dead_peers.hpp"

namespace fencegate::proxy {
namespace {

constexpr std::chrono::milliseconds kBackOff{100};
constexpr std::chrono::minutes kTellAgain{1};

// The completion handler of what must not throw.
auto report_to(const Log& log) {
    return [&log](const std::exception_ptr& problem) {
        if (!problem) return;
        try {
            std::rethrow_exception(problem);
        } catch (const std::exception& error) {
            log.error(std::string("a connection ended on an unexpected error: ") + error.what());
        }
    };
}

std::string peer_of(const tcp::socket& socket) {
    error_code ec;
    const auto remote = socket.remote_endpoint(ec);
    return ec ? std::string("-") : remote.address().to_string();
}

std::unexpected<Error> cannot_listen(const Endpoint& endpoint, const error_code& ec) {
    return fail_start(StartFailure::Unavailable,
                      "Cannot listen on " + to_string(endpoint) + ": " + ec.message() +
                          ". Choose another address, or port 0 for a free one.");
}

}  // namespace

Result<tcp::acceptor> ListenSocket::bind(asio::io_context& context, const Endpoint& endpoint) {
    error_code ec;
    const tcp::endpoint address(asio::ip::make_address(endpoint.host), endpoint.port);
    tcp::acceptor acceptor(context);
    acceptor.open(address.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(address, ec);
    if (ec) return cannot_listen(endpoint, ec);
    return acceptor;
}

Result<std::unique_ptr<ListenSocket>> ListenSocket::open(tcp::acceptor bound,
                                                         std::vector<IoThread*> threads,
                                                         const TlsSource& tls,
                                                         const SessionShared& shared,
                                                         std::size_t connections_max) {
    auto self = std::unique_ptr<ListenSocket>(
        new ListenSocket(std::move(threads), tls, shared, connections_max));
    error_code ec;
    const auto address = bound.local_endpoint(ec);
    self->endpoint_ = {address.address().to_string(), address.port()};
    auto& acceptor = self->acceptor_;
    acceptor.assign(address.protocol(), bound.release(), ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return cannot_listen(self->endpoint_, ec);
    return self;
}

ListenSocket::ListenSocket(std::vector<IoThread*> threads, const TlsSource& tls,
                           const SessionShared& shared, std::size_t connections_max)
    : threads_(std::move(threads)),
      tls_(tls),
      shared_(shared),
      connections_max_(connections_max),
      acceptor_(threads_.front()->context()) {}

void ListenSocket::start() {
    auto accepting = accept_all();
    asio::co_spawn(threads_.front()->context(), std::move(accepting), report_to(shared_.log));
}

void ListenSocket::close() {
    asio::post(threads_.front()->context(), [this] {
        error_code ignored;
        acceptor_.close(ignored);
    });
}

std::size_t ListenSocket::connections() const {
    std::size_t count = 0;
    for (const auto* thread : threads_) count += thread->sessions();
    return count;
}

asio::awaitable<void> ListenSocket::accept_all() {
    asio::steady_timer back_off(threads_.front()->context());
    while (acceptor_.is_open()) {
        auto& home = *threads_[next_++ % threads_.size()];
        auto [ec, socket] = co_await acceptor_.async_accept(home.context(), kAwait);
        if (ec == asio::error::operation_aborted) co_return;
        if (!ec) {
            take(std::move(socket), home);
            continue;
        }
        // Out of descriptors or memory: the queue of the kernel holds the client meanwhile.
        back_off.expires_after(kBackOff);
        [[maybe_unused]] auto [waited] = co_await back_off.async_wait(kAwait);
    }
}

void ListenSocket::take(tcp::socket socket, IoThread& home) {
    if (connections() >= connections_max_) return tell_refused();  // closes it
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    static_cast<void>(notice_dead_peer(socket.native_handle()));
    auto* ssl = ::SSL_new(tls_.load()->get());
    if (ssl == nullptr) return;
    auto peer = peer_of(socket);
    auto serving =
        Session::serve(TlsStream(std::move(socket), ssl), std::move(peer), &home, &shared_);
    asio::co_spawn(home.context(), std::move(serving), report_to(shared_.log));
}

void ListenSocket::tell_refused() {
    const auto listener = shared_.service.listener();
    shared_.metrics.http_connection_refused(listener);
    const auto now = shared_.clock.boot_now();
    if (told_full_ && now - *told_full_ < kTellAgain) return;
    told_full_ = now;
    shared_.log.warning("as many connections as may (" + std::to_string(connections_max_) +
                        ") are open on " + to_string(endpoint_) + "; more are closed at once");
}

}  // namespace fencegate::proxy
