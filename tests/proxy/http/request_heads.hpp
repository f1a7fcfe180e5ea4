#pragma once
// Request heads for the tests of the framing gate, good but for what a test puts into them.

#include <cstddef>
#include <string>
#include <string_view>

namespace fencegate::proxy {

// A head with a good request line and Host, and these lines after them.
inline std::string with(std::string_view lines, std::string_view method = "POST") {
    return std::string(method) + " /v1/payments HTTP/1.1\r\nHost: pay.example\r\n" +
           std::string(lines) + "\r\n";
}

// A head whose only line but Host is this request line.
inline std::string line(std::string_view request_line) {
    return std::string(request_line) + "\r\nHost: pay.example\r\n\r\n";
}

inline std::string host(std::string_view value) {
    return "GET / HTTP/1.1\r\nHost: " + std::string(value) + "\r\n\r\n";
}

inline std::string fields(std::size_t count) {
    std::string lines;
    for (std::size_t at = 1; at < count; ++at) lines += "X-Field: 1\r\n";  // Host is the first
    return with(lines);
}

}  // namespace fencegate::proxy
