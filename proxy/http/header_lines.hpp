#pragma once
// Walks the lines of a request head: the one place that knows how a head is cut into lines, names
// and values. Private to framing_gate.cpp and request_head.cpp, which must never cut differently.
// Owns: cutting and naming. Refuses to own: judging (framing_gate.cpp does).
// Thread rule: pure functions and views; nothing is allocated.
// Source: RFC 9112 sections 2 and 5.

#include <cstdint>
#include <string_view>

namespace fencegate::proxy {

// The fields this gateway reads or polices. Everything else is Other.
enum class HeaderId : std::uint8_t {
    Other,
    AcceptEncoding,
    Authorization,
    Connection,
    ContentLength,
    ContentType,
    Expect,
    Host,
    IdempotencyKey,
    IfFenceToken,
    IfMatch,
    LastEventId,
    ProxyConnection,
    Traceparent,
    Trailer,
    TransferEncoding,
    XFenceRelease,
    XFenceToken,
};

struct HeaderField {
    std::string_view name;
    std::string_view value;  // without the blanks around it
};

// Cuts the next line off `rest`, without its CRLF. A line that ends otherwise keeps what it ends
// with, so that a strict reader can see it.
[[nodiscard]] std::string_view next_line(std::string_view& rest) noexcept;

// Cuts at the first colon. A line without one becomes a field whose name is the whole line.
[[nodiscard]] HeaderField split_field(std::string_view line) noexcept;

// Without leading and trailing SP and HT (RFC 9110 section 5.6.3, OWS).
[[nodiscard]] std::string_view trim_blanks(std::string_view text) noexcept;

[[nodiscard]] HeaderId header_id(std::string_view name) noexcept;

// ASCII only, no locale. REQUIRES: `lower` holds no upper-case letter.
[[nodiscard]] bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept;

}  // namespace fencegate::proxy
