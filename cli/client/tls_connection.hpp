#pragma once
// TlsConnection: a TLS client's socket as blocking calls with deadlines. Bytes in, bytes out.
// Owns: the socket, verification of the server, deadlines. Refuses to own: HTTP.
// Invariant: nothing is sent before certificate and name (or address) are verified.
// Thread rule: one thread; interrupt() from any.
// Errors: fail_start(Unavailable | CannotRead), naming the server and what to do.

#include "cli/client/https_client.hpp"

namespace fencegate::cli {

class TlsConnection {
public:
    explicit TlsConnection(const HttpsOptions& options);
    ~TlsConnection();

    // Drops a connection that is open, then opens one.
    [[nodiscard]] Result<> open(BootTime until);
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept;

    // A deadline that passes closes the connection.
    [[nodiscard]] Result<> write(std::string_view bytes, BootTime until);

    enum class Read : std::uint8_t { Bytes, Nothing, End };
    // Appends what comes next. Nothing: not before the deadline, and the connection stays good.
    [[nodiscard]] Result<Read> read_some(std::string& received, BootTime until);

    // Ends what waits, now and from now on.
    void interrupt() noexcept;

    [[nodiscard]] const std::string& server() const noexcept;  // "host:port", for messages

private:
    struct Impl;  // Asio's types stay in the .cpp
    std::unique_ptr<Impl> impl_;
};

}  // namespace fencegate::cli
