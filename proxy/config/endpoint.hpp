#pragma once
// Endpoint: a numeric address and a port to listen on. Names are not resolved: what is listened on
// must not depend on a resolver. Thread rule: plain values.

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::proxy {

struct Endpoint {
    std::string host;        // canonical: 127.0.0.1, ::1, without brackets
    std::uint16_t port = 0;  // 0: the system picks a free one
    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "127.0.0.1:8443", "[::1]:8443". Fails with: InvalidArgument.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

// The text that parse_endpoint() reads.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

// 127.0.0.0/8, ::1 and the IPv4 loopback mapped into IPv6.
[[nodiscard]] bool is_loopback(const Endpoint& endpoint);

// 0.0.0.0 and ::, every address of the machine.
[[nodiscard]] bool is_wildcard(const Endpoint& endpoint);

}  // namespace fencegate::proxy
