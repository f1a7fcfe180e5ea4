#pragma once
// RequestInput: heads and bodies of requests as they arrive on a connection, each under its
// deadline and limit. Refuses to own: judging a head (framing_gate.hpp).
// Thread rule: as its connection.

#include "base/result.hpp"
#include "proxy/http/framing_gate.hpp"
#include "proxy/net/connection.hpp"

#include <string>

namespace fencegate::proxy {

class RequestInput {
public:
    enum class HeadRead : std::uint8_t { Ready, Closed, TooLarge, TimedOut };

    // `connection` outlives it.
    explicit RequestInput(Connection& connection) : connection_(connection) {}

    // The next one. `is_first`: the client has not asked for anything yet.
    asio::awaitable<HeadRead> read_head(bool is_first);
    // Of the head that was read. Fails with: RequestTimeout, BodyTooLarge, BadRequest.
    asio::awaitable<Result<>> read_body(Framing framing);
    // Skips the body of a refused request if all of it is here; else the connection must close.
    [[nodiscard]] bool skip_body(const Framing& framing);

    // Both stay until the next head is read.
    [[nodiscard]] const std::string& head() const noexcept { return head_; }
    [[nodiscard]] const std::string& body() const noexcept { return body_; }
    // When the first byte of the head was there.
    [[nodiscard]] BootTime started() const noexcept { return started_; }
    // Waits for the first byte of a request.
    [[nodiscard]] bool is_idle() const noexcept { return is_idle_; }

private:
    asio::awaitable<Result<>> read_sized_body(std::uint64_t size);
    asio::awaitable<Result<>> read_chunked_body();

    Connection& connection_;
    std::string head_;
    std::string body_;
    BootTime started_{};
    bool is_idle_ = false;
};

}  // namespace fencegate::proxy
