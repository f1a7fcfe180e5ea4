#include "proxy/http/header_lines.hpp"

#include <cstddef>

namespace fencegate::proxy {
namespace {

constexpr char to_lower(char byte) noexcept {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte;
}

constexpr bool is_blank(char byte) noexcept { return byte == ' ' || byte == '\t'; }

HeaderId pick(std::string_view name, std::string_view lower, HeaderId id) noexcept {
    return equals_ignoring_case(name, lower) ? id : HeaderId::Other;
}

HeaderId pick(std::string_view name, std::string_view lower, HeaderId id, std::string_view lower_b,
              HeaderId id_b) noexcept {
    return equals_ignoring_case(name, lower) ? id : pick(name, lower_b, id_b);
}

HeaderId pick_of_13(std::string_view name) noexcept {
    const auto id = pick(name, "authorization", HeaderId::Authorization, "x-fence-token",
                         HeaderId::XFenceToken);
    return id != HeaderId::Other ? id : pick(name, "last-event-id", HeaderId::LastEventId);
}

HeaderId pick_of_15(std::string_view name) noexcept {
    const auto id = pick(name, "idempotency-key", HeaderId::IdempotencyKey, "accept-encoding",
                         HeaderId::AcceptEncoding);
    return id != HeaderId::Other ? id : pick(name, "x-fence-release", HeaderId::XFenceRelease);
}

}  // namespace

std::string_view next_line(std::string_view& rest) noexcept {
    const auto line_feed = rest.find('\n');
    if (line_feed == std::string_view::npos) {
        const auto line = rest;
        rest = {};
        return line;
    }
    const bool has_return = line_feed > 0 && rest[line_feed - 1] == '\r';
    const auto line = rest.substr(0, has_return ? line_feed - 1 : line_feed + 1);
    rest.remove_prefix(line_feed + 1);
    return line;
}

HeaderField split_field(std::string_view line) noexcept {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {line, {}};
    return {line.substr(0, colon), trim_blanks(line.substr(colon + 1))};
}

std::string_view trim_blanks(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) noexcept {
    if (text.size() != lower.size()) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (to_lower(text[at]) != lower[at]) return false;
    }
    return true;
}

// The length decides between at most three names, so an unknown field costs one jump.
HeaderId header_id(std::string_view name) noexcept {
    switch (name.size()) {
        case 4: return pick(name, "host", HeaderId::Host);
        case 6: return pick(name, "expect", HeaderId::Expect);
        case 7: return pick(name, "trailer", HeaderId::Trailer);
        case 8: return pick(name, "if-match", HeaderId::IfMatch);
        case 10: return pick(name, "connection", HeaderId::Connection);
        case 11: return pick(name, "traceparent", HeaderId::Traceparent);
        case 12: return pick(name, "content-type", HeaderId::ContentType);
        case 13: return pick_of_13(name);
        case 14:
            return pick(name, "content-length", HeaderId::ContentLength, "if-fence-token",
                        HeaderId::IfFenceToken);
        case 15: return pick_of_15(name);
        case 16: return pick(name, "proxy-connection", HeaderId::ProxyConnection);
        case 17: return pick(name, "transfer-encoding", HeaderId::TransferEncoding);
        default: return HeaderId::Other;
    }
}

}  // namespace fencegate::proxy
