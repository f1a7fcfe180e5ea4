#pragma once
// TlsStranger: speaks TLS on a port of its own and answers whatever is asked by one text; no
// gateway. Owns: the folder of its certificate and ca.pem, the thread that serves one peer after
// the other. Thread rule: one thread for the test. Errors: std::runtime_error when it cannot
// listen.

#include "base/clock.hpp"
#include "cli/client/https_client.hpp"
#include "proxy/tls/certificates.hpp"
#include "proxy/tls/tls_context.hpp"
#include "tests/support/temp_dir.hpp"

#include <openssl/ssl.h>

#include <atomic>
#include <csignal>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace fencegate::testing {

enum class AfterAnswer : std::uint8_t {
    Stay,   // and answer the next request
    Close,  // as TLS wants it
    Cut     // without a word of TLS, as who stands in between could
};

class TlsStranger {
public:
    explicit TlsStranger(std::string answer, AfterAnswer after = AfterAnswer::Stay,
                         std::chrono::days certificate_age = {})
        : answer_(std::move(answer)),
          after_(after),
          socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const std::vector<std::string> hosts{"127.0.0.1"};
        const auto issued = SystemClock().wall_now() - certificate_age;
        const auto files = proxy::ensure_certificates(folder_.path(), hosts, issued).value();
        context_ = proxy::make_server_context(files.server, files.server_key).value();
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* any = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket_, any, size) != 0 || ::listen(socket_, 8) != 0 ||
            ::getsockname(socket_, any, &size) != 0)
            throw std::runtime_error("cannot listen");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    // REQUIRES: no client holds a connection to it.
    ~TlsStranger() {
        ::shutdown(socket_, SHUT_RDWR);
        thread_.join();
        ::close(socket_);
    }
    TlsStranger(const TlsStranger&) = delete;
    TlsStranger& operator=(const TlsStranger&) = delete;

    [[nodiscard]] cli::HttpsOptions options() const {
        return {.host = "127.0.0.1",
                .port = port_,
                .ca_file = folder_ / "ca.pem",
                .timeout = std::chrono::seconds(5)};
    }
    [[nodiscard]] int connections() const { return connections_; }
    // What came first on the last connection.
    [[nodiscard]] std::string request() const { return request_; }

private:
    void serve() {
        // OpenSSL writes to whom has gone. Of this thread only: the client must not need it.
        sigset_t broken_pipe;
        ::sigemptyset(&broken_pipe);
        ::sigaddset(&broken_pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        for (;;) {
            const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
            if (peer < 0) return;
            ++connections_;
            SSL* tls = SSL_new(context_.get());
            SSL_set_fd(tls, peer);
            if (SSL_accept(tls) == 1) answer(*tls);
            SSL_free(tls);
            ::close(peer);
        }
    }
    void answer(SSL& tls) {
        char bytes[65'536];
        do {
            const int size = SSL_read(&tls, bytes, sizeof bytes);
            if (size <= 0) return;
            request_.assign(bytes, static_cast<std::size_t>(size));
            if (!answer_.empty()) SSL_write(&tls, answer_.data(), static_cast<int>(answer_.size()));
        } while (after_ == AfterAnswer::Stay);
        if (after_ == AfterAnswer::Close) SSL_shutdown(&tls);
    }

    TempDir folder_;
    std::string answer_;
    AfterAnswer after_;
    int socket_;
    std::uint16_t port_ = 0;
    proxy::SslContextPtr context_;
    std::atomic<int> connections_ = 0;
    std::string request_;  // written before the answer that the test waits for
    std::thread thread_;
};

}  // namespace fencegate::testing
