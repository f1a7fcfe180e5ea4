#pragma once
// A non-blocking TLS client connection for use under edge-triggered epoll.
//
// Owns the socket, the SSL object and the bytes received. Verifies the certificate and the IP.
// Thread rule: one thread; the TlsContext may be shared.
// Errors: Progress::Closed for every failure; last_error() says which.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace fencegate::bench {

struct SslContextDelete {
    void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, SslContextDelete>;

// Throws std::runtime_error when the CA cannot be read.
[[nodiscard]] TlsContext make_tls_context(const std::string& ca_file);

class TlsConnection {
public:
    enum class Progress { Done, Again, Closed };

    TlsConnection() = default;
    ~TlsConnection();
    TlsConnection(const TlsConnection&) = delete;
    TlsConnection& operator=(const TlsConnection&) = delete;

    // Begins to connect to an IP and registers with epoll; replaces an earlier connection.
    Progress open(ssl_ctx_st* context, const std::string& host, std::uint16_t port, int epoll,
                  std::uint64_t epoll_data);
    Progress shake_hands();
    // Removes what was sent from `bytes`; Done once it is empty.
    Progress send(std::string_view& bytes);
    // One read; Done when at least a byte came.
    Progress receive();

    [[nodiscard]] std::string_view received() const { return {buffer_.data(), filled_}; }
    void consume(std::size_t size);
    void close();
    [[nodiscard]] std::string last_error() const;
    [[nodiscard]] std::string cipher() const;

private:
    struct SslDelete {
        void operator()(ssl_st* ssl) const;
    };
    Progress progress_of(int result);

    std::unique_ptr<ssl_st, SslDelete> ssl_;
    int socket_ = -1;
    std::vector<char> buffer_;
    std::size_t filled_ = 0;
    std::string error_;
};

}  // namespace fencegate::bench
