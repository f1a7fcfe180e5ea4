#pragma once
// A blocking HTTPS/1.1 client for tests: one kept-alive connection on plain OpenSSL.
//
// Owns a TLS socket. The certificate and the host name (or IP) are always verified. Bytes can be
// sent raw and in pieces, so that a test may be as rude as the worst peer.
// Thread rule: one client belongs to one thread.
// Errors: std::runtime_error that says what was waited for, on every deadline, TLS or framing
// failure. A test that hangs tells nothing; this one fails loudly.

#include "tests/support/deadline.hpp"
#include "tests/support/http_response.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace fencegate::testing {

class HttpsClient {
public:
    struct Options {
        std::string host = "127.0.0.1";
        std::uint16_t port = 0;
        std::filesystem::path ca_file;
        std::chrono::milliseconds deadline{10'000};  // of each operation
        std::string api_key;                         // request() adds it as Bearer; "" for none
        int tls_version_min = 0;                     // e.g. TLS1_2_VERSION; 0 is the default
        int tls_version_max = 0;
        int receive_buffer_bytes = 0;  // of the socket, for one that does not read; 0: the system's
        std::filesystem::path certificate_file;  // a client certificate, optional
        std::filesystem::path key_file;
    };

    explicit HttpsClient(Options options);
    ~HttpsClient();
    HttpsClient(HttpsClient&&) noexcept;
    HttpsClient& operator=(HttpsClient&&) noexcept;

    // Drops a connection that is open, then opens one.
    void connect();
    [[nodiscard]] bool is_connected() const { return socket_ >= 0; }

    // One exchange; connects first if need be. Adds Host, Authorization, Content-Type and
    // Content-Length where `headers` does not name them. Skips interim (1xx) answers.
    Response request(std::string_view method, std::string_view target, const Headers& headers = {},
                     std::string_view body = {});

    // Stops early, without an error, once the peer has answered or closed while its window is
    // full: what it said is what the test wants to read.
    void send_raw(std::string_view bytes);
    // The next answer, an interim one included.
    Response read_response();

    // For streams: the head alone, then body text up to and including `marker`.
    Response read_head();
    std::string read_body_until(std::string_view marker);

    // True once the peer has ended the connection, false if bytes arrive or the deadline passes.
    [[nodiscard]] bool closed_by_peer();
    [[nodiscard]] std::string tls_version() const;       // "TLSv1.3"
    [[nodiscard]] std::string peer_fingerprint() const;  // SHA-256 of the certificate it showed

    void close();             // says goodbye: close_notify, then FIN
    void abort_connection();  // RST: the peer finds out the hard way

private:
    struct ContextDelete {
        void operator()(ssl_ctx_st* context) const;
    };
    struct SslDelete {
        void operator()(ssl_st* ssl) const;
    };
    enum class BodyFraming { None, Length, Chunked, UntilClose };

    void open_socket(const Deadline& deadline);
    void shake_hands(const Deadline& deadline);
    int drive(const char* what, const Deadline& deadline, const std::function<int()>& operation);
    bool peer_has_spoken(const Deadline& deadline);
    bool fill(const char* what, const Deadline& deadline);
    std::string take_line(const Deadline& deadline);
    Response take_head(const Deadline& deadline);
    void begin_body(const Response& response);
    std::string take_body(const Deadline& deadline);
    bool begin_chunk(const Deadline& deadline);
    std::string take_buffered();
    void drop_socket();

    Options options_;
    std::unique_ptr<ssl_ctx_st, ContextDelete> context_;
    std::unique_ptr<ssl_st, SslDelete> ssl_;
    int socket_ = -1;
    std::string received_;  // not yet handed out
    std::string stream_;    // decoded by read_body_until, beyond its marker
    BodyFraming framing_ = BodyFraming::None;
    std::size_t body_left_ = 0;    // of the body, or of the chunk
    bool answer_to_head_ = false;  // the request being answered was a HEAD
    bool peer_will_close_ = false;
};

}  // namespace fencegate::testing
