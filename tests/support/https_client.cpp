#include "tests/support/https_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace fencegate::testing {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error("https client: " + what);
}

std::string tls_reason() {
    const auto code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? std::string("no reason given") : std::string(reason);
}

// False when the deadline passed first.
bool wait_for(int socket, int events, const Deadline& deadline) {
    pollfd entry{.fd = socket, .events = static_cast<short>(events), .revents = 0};
    for (;;) {
        const int ready = ::poll(&entry, 1, deadline.remaining_ms());
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) fail(std::string("poll: ") + std::strerror(errno));
    }
}

bool is_ip(const std::string& host) {
    in6_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool names(const Headers& headers, std::string_view name) {
    return Response{.status = 0, .headers = headers, .body = {}}.header_count(name) > 0;
}

// A peer that went away is a value here, never a signal that ends the test program.
void ignore_sigpipe() { static_cast<void>(std::signal(SIGPIPE, SIG_IGN)); }

}  // namespace

void HttpsClient::ContextDelete::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void HttpsClient::SslDelete::operator()(ssl_st* ssl) const { SSL_free(ssl); }

HttpsClient::HttpsClient(Options options)
    : options_(std::move(options)), context_(SSL_CTX_new(TLS_client_method())) {
    ignore_sigpipe();
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    // A test may ask for an obsolete version, to see it refused by the server and not by itself.
    if (options_.tls_version_max != 0 && options_.tls_version_max < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(context_.get(), 0);
    }
    if (SSL_CTX_set_min_proto_version(context_.get(), options_.tls_version_min) != 1 ||
        SSL_CTX_set_max_proto_version(context_.get(), options_.tls_version_max) != 1) {
        fail("unknown TLS version");
    }
    if (SSL_CTX_load_verify_file(context_.get(), options_.ca_file.c_str()) != 1) {
        fail("cannot read the CA " + options_.ca_file.string() + ": " + tls_reason());
    }
    if (options_.certificate_file.empty()) return;
    if (SSL_CTX_use_certificate_chain_file(context_.get(), options_.certificate_file.c_str()) !=
            1 ||
        SSL_CTX_use_PrivateKey_file(context_.get(), options_.key_file.c_str(), SSL_FILETYPE_PEM) !=
            1) {
        fail("cannot use the client certificate: " + tls_reason());
    }
}

HttpsClient::~HttpsClient() { drop_socket(); }

HttpsClient::HttpsClient(HttpsClient&& other) noexcept
    : options_(std::move(other.options_)),
      context_(std::move(other.context_)),
      ssl_(std::move(other.ssl_)),
      socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)),
      stream_(std::move(other.stream_)),
      framing_(other.framing_),
      body_left_(other.body_left_),
      answer_to_head_(other.answer_to_head_),
      peer_will_close_(other.peer_will_close_) {}

HttpsClient& HttpsClient::operator=(HttpsClient&& other) noexcept {
    if (this == &other) return *this;
    std::destroy_at(this);
    return *std::construct_at(this, std::move(other));
}

void HttpsClient::connect() {
    const Deadline deadline(options_.deadline);
    drop_socket();
    try {
        open_socket(deadline);
        shake_hands(deadline);
    } catch (...) {
        drop_socket();
        throw;
    }
}

void HttpsClient::open_socket(const Deadline& deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(options_.port);
    if (const int error = ::getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &found)) {
        fail("cannot resolve " + options_.host + ": " + ::gai_strerror(error));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> address(found, &::freeaddrinfo);
    socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) fail(std::string("socket: ") + std::strerror(errno));
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (const int bytes = options_.receive_buffer_bytes; bytes > 0)
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);

    if (::connect(socket_, found->ai_addr, found->ai_addrlen) == 0) return;
    int error = errno;
    if (error == EINPROGRESS) {
        if (!wait_for(socket_, POLLOUT, deadline)) fail("deadline passed while connecting");
        socklen_t size = sizeof error;
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0)
        fail("cannot connect to " + options_.host + ":" + port + ": " + std::strerror(error));
}

void HttpsClient::shake_hands(const Deadline& deadline) {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_);
    if (is_ip(options_.host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), options_.host.c_str());
    } else {
        SSL_set1_host(ssl_.get(), options_.host.c_str());
        SSL_set_tlsext_host_name(ssl_.get(), options_.host.c_str());
    }
    const int done = drive("the TLS handshake", deadline, [&] { return SSL_connect(ssl_.get()); });
    if (done <= 0) fail("peer closed during the TLS handshake");
}

// Runs one OpenSSL call to its end. Returns its positive result, or 0 once the peer has gone.
int HttpsClient::drive(const char* what, const Deadline& deadline,
                       const std::function<int()>& operation) {
    if (!ssl_) fail(std::string("not connected, yet asked for ") + what);
    for (;;) {
        ERR_clear_error();
        const int result = operation();
        if (result > 0) return result;
        const int error = SSL_get_error(ssl_.get(), result);
        if (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SYSCALL) return 0;
        if (error == SSL_ERROR_SSL) {
            const int reason = ERR_GET_REASON(ERR_peek_last_error());
            if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) return 0;
            const long verified = SSL_get_verify_result(ssl_.get());
            fail(std::string(what) + ": " + tls_reason() +
                 ", certificate: " + X509_verify_cert_error_string(verified));
        }
        const int events = error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
        if (!wait_for(socket_, events, deadline)) {
            fail("deadline passed while waiting for " + std::string(what));
        }
    }
}

void HttpsClient::send_raw(std::string_view bytes) {
    const Deadline deadline(options_.deadline);
    if (!ssl_) fail("not connected, yet asked to send");
    if (bytes.starts_with("HEAD ")) answer_to_head_ = true;
    while (!bytes.empty()) {
        ERR_clear_error();
        // A small piece a call, so that a retry repeats the same bytes from the same place.
        const auto piece = bytes.substr(0, 16'384);
        const int sent = SSL_write(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        const int error = SSL_get_error(ssl_.get(), sent);
        if (error == SSL_ERROR_WANT_WRITE) {
            if (peer_has_spoken(deadline)) return;
        } else if (error == SSL_ERROR_WANT_READ) {
            if (!wait_for(socket_, POLLIN, deadline)) fail("deadline passed while sending");
        } else {
            return;
        }
    }
}

// The send window is full: waits for room, or for the peer to answer before it has read all.
bool HttpsClient::peer_has_spoken(const Deadline& deadline) {
    if (!wait_for(socket_, POLLIN | POLLOUT, deadline)) fail("deadline passed while sending");
    pollfd entry{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, 0) <= 0) return false;
    char byte = 0;
    const int seen = SSL_peek(ssl_.get(), &byte, 1);
    return seen > 0 || SSL_get_error(ssl_.get(), seen) != SSL_ERROR_WANT_READ;
}

Response HttpsClient::request(std::string_view method, std::string_view target,
                              const Headers& headers, std::string_view body) {
    if (!is_connected() || peer_will_close_) connect();
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!names(headers, name)) text.append(name).append(": ").append(value).append("\r\n");
    };
    add("Host", options_.host + ":" + std::to_string(options_.port));
    if (!options_.api_key.empty()) add("Authorization", "Bearer " + options_.api_key);
    if (!body.empty()) add("Content-Type", "application/json");
    const bool may_have_body = method != "GET" && method != "HEAD" && method != "DELETE";
    const bool says_length = !body.empty() || may_have_body;
    if (says_length && !names(headers, "Transfer-Encoding")) {
        add("Content-Length", std::to_string(body.size()));
    }
    for (const auto& [name, value] : headers) {
        text.append(name).append(": ").append(value).append("\r\n");
    }
    text.append("\r\n").append(body);
    send_raw(text);
    for (;;) {
        Response response = read_response();
        if (response.status >= 200) return response;
    }
}

bool HttpsClient::closed_by_peer() {
    const Deadline deadline(options_.deadline);
    if (!ssl_) fail("not connected, yet asked whether the peer closed");
    while (received_.empty()) {
        char byte = 0;
        ERR_clear_error();
        const int seen = SSL_peek(ssl_.get(), &byte, 1);
        if (seen > 0) return false;
        if (SSL_get_error(ssl_.get(), seen) != SSL_ERROR_WANT_READ) return true;
        if (!wait_for(socket_, POLLIN, deadline)) return false;
    }
    return false;
}

std::string HttpsClient::tls_version() const { return ssl_ ? SSL_get_version(ssl_.get()) : ""; }

std::string HttpsClient::peer_fingerprint() const {
    if (!ssl_) fail("not connected, yet asked for the peer's certificate");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    X509_digest(SSL_get0_peer_certificate(ssl_.get()), EVP_sha256(), digest, &size);
    return {reinterpret_cast<const char*>(digest), size};
}

void HttpsClient::close() {
    if (ssl_) SSL_shutdown(ssl_.get());
    drop_socket();
}

void HttpsClient::abort_connection() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    if (socket_ >= 0) ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop_socket();
}

void HttpsClient::drop_socket() {
    ssl_.reset();
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    received_.clear();
    stream_.clear();
    framing_ = BodyFraming::None;
    answer_to_head_ = false;
    peer_will_close_ = false;
}

}  // namespace fencegate::testing
