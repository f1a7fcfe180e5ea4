#include "bench/tls_connection.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fencegate::bench {
namespace {

constexpr std::size_t kReceiveBytesMin = 4'096;
constexpr std::size_t kReceiveBytesMax = 262'144;

std::string tls_error() {
    const auto code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "closed by peer" : reason;
}

union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
};

// 0 when `host` is not an IP address.
socklen_t make_address(Address& address, const std::string& host, std::uint16_t port) {
    std::memset(&address, 0, sizeof address);
    if (::inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) == 1) {
        address.v4.sin_family = AF_INET;
        address.v4.sin_port = htons(port);
        return sizeof address.v4;
    }
    if (::inet_pton(AF_INET6, host.c_str(), &address.v6.sin6_addr) == 1) {
        address.v6.sin6_family = AF_INET6;
        address.v6.sin6_port = htons(port);
        return sizeof address.v6;
    }
    return 0;
}

}  // namespace

void SslContextDelete::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsConnection::SslDelete::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsContext make_tls_context(const std::string& ca_file) {
    TlsContext context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    // One read(2) an answer: without it OpenSSL reads a record's header and body separately.
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_load_verify_file(context.get(), ca_file.c_str()) != 1) {
        throw std::runtime_error("cannot read the CA " + ca_file + ": " + tls_error());
    }
    return context;
}

TlsConnection::~TlsConnection() { close(); }

TlsConnection::Progress TlsConnection::open(ssl_ctx_st* context, const std::string& host,
                                            std::uint16_t port, int epoll,
                                            std::uint64_t epoll_data) {
    close();
    error_.clear();
    buffer_.resize(kReceiveBytesMin);
    Address address;
    const auto size = make_address(address, host, port);
    if (size == 0) {
        error_ = "not an IP address: " + host;
        return Progress::Closed;
    }
    socket_ = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), socket_);
    SSL_set_connect_state(ssl_.get());
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), host.c_str());

    // Registered once for everything: no epoll_ctl on the measured path.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = epoll_data;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, socket_, &event) == 0 &&
        (::connect(socket_, &address.any, size) == 0 || errno == EINPROGRESS)) {
        return Progress::Done;
    }
    error_ = std::string("connect: ") + std::strerror(errno);
    return Progress::Closed;
}

TlsConnection::Progress TlsConnection::shake_hands() {
    ERR_clear_error();
    return progress_of(SSL_do_handshake(ssl_.get()));
}

TlsConnection::Progress TlsConnection::send(std::string_view& bytes) {
    while (!bytes.empty()) {
        ERR_clear_error();
        const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
        if (sent <= 0) return progress_of(sent);
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return Progress::Done;
}

TlsConnection::Progress TlsConnection::receive() {
    if (filled_ == buffer_.size()) {
        if (filled_ >= kReceiveBytesMax) {
            error_ = "answer too large";
            return Progress::Closed;
        }
        buffer_.resize(2 * filled_);
    }
    ERR_clear_error();
    const int got =
        SSL_read(ssl_.get(), buffer_.data() + filled_, static_cast<int>(buffer_.size() - filled_));
    if (got <= 0) return progress_of(got);
    filled_ += static_cast<std::size_t>(got);
    return Progress::Done;
}

TlsConnection::Progress TlsConnection::progress_of(int result) {
    if (result > 0) return Progress::Done;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Progress::Again;
    const bool by_errno = error == SSL_ERROR_SYSCALL && errno != 0;
    error_ = by_errno ? std::string(std::strerror(errno)) : tls_error();
    return Progress::Closed;
}

void TlsConnection::consume(std::size_t size) {
    filled_ -= size;
    if (filled_ > 0) std::memmove(buffer_.data(), buffer_.data() + size, filled_);
}

void TlsConnection::close() {
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    filled_ = 0;
}

std::string TlsConnection::last_error() const { return error_; }

std::string TlsConnection::cipher() const {
    if (!ssl_) return {};
    return std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
}

}  // namespace fencegate::bench
