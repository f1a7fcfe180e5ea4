#include "proxy/http/target.hpp"

#include "base/hex.hpp"

#include <algorithm>
#include <cstdint>

namespace fencegate::proxy {
namespace {

constexpr std::string_view kLocksPrefix = "/v1/locks/";

std::unexpected<Error> refuse_path(std::string_view path, std::string detail) {
    const auto code =
        path.starts_with(kLocksPrefix) ? ErrorCode::InvalidLockName : ErrorCode::BadRequest;
    return fail(code, std::move(detail));
}

std::unexpected<Error> refuse_query(std::string detail) {
    return fail(ErrorCode::BadRequest, std::move(detail));
}

Result<> check_path_bytes(std::string_view path) {
    for (const char byte : path) {
        if (byte == '%')
            return refuse_path(path,
                               "The path holds \"%\": paths are not percent-decoded, and no name "
                               "here needs an escape.");
        if (byte == '\\') return refuse_path(path, "The path holds a backslash.");
        if (byte <= ' ' || byte >= '\x7f' || byte == '#')
            return refuse_path(path, "The path holds a byte that no path may hold.");
    }
    return {};
}

// REQUIRES: `path` starts with "/".
Result<std::vector<std::string_view>> split_path(std::string_view path) {
    std::vector<std::string_view> segments;
    if (path == "/") return segments;
    segments.reserve(8);
    std::size_t from = 1;
    while (from <= path.size()) {
        const auto slash = std::min(path.find('/', from), path.size());
        const auto segment = path.substr(from, slash - from);
        if (segment.empty())
            return refuse_path(path, "The path has an empty segment (\"//\" or a last \"/\").");
        if (segment == "." || segment == "..")
            return refuse_path(path, "The path has a \".\" or \"..\" segment.");
        segments.push_back(segment);
        from = slash + 1;
    }
    return segments;
}

// How many bytes the UTF-8 sequence at the front has; 0 if it is none. Overlong forms, surrogates
// and code points past U+10FFFF are none (RFC 3629 section 4).
std::size_t utf8_sequence_bytes(std::string_view text) noexcept {
    const auto byte = [text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    const auto is_between = [&](std::size_t at, unsigned low, unsigned high) {
        return at < text.size() && byte(at) >= low && byte(at) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return is_between(1, 0x80, 0xbf) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
        const unsigned high = lead == 0xed ? 0x9f : 0xbf;
        return is_between(1, low, high) && is_between(2, 0x80, 0xbf) ? 3 : 0;
    }
    if (lead < 0xf0 || lead > 0xf4) return 0;
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    const bool is_good =
        is_between(1, low, high) && is_between(2, 0x80, 0xbf) && is_between(3, 0x80, 0xbf);
    return is_good ? 4 : 0;
}

bool is_clean_text(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto lead = static_cast<std::uint8_t>(text.front());
        const auto bytes = utf8_sequence_bytes(text);
        if (bytes == 0 || lead < 0x20 || lead == 0x7f) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

Result<std::string> decode_value(std::string_view raw) {
    std::string value;
    value.reserve(raw.size());
    for (std::size_t at = 0; at < raw.size(); ++at) {
        // "+" is a blank to form encoders and a plus to RFC 3986: no server should guess.
        if (raw[at] == '+')
            return refuse_query("The query holds \"+\"; write %2B for a plus, %20 for a blank.");
        if (raw[at] != '%') {
            value.push_back(raw[at]);
            continue;
        }
        const auto byte = hex_byte(raw.substr(at + 1, 2));
        if (!byte) return refuse_query("The query holds \"%\" without two hex digits after it.");
        value.push_back(static_cast<char>(*byte));
        at += 2;
    }
    if (!is_clean_text(value))
        return refuse_query("A query value is not UTF-8, or holds a control byte.");
    return value;
}

bool is_parameter_name(std::string_view name) noexcept {
    return !name.empty() && std::ranges::all_of(name, [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || byte == '_' || byte == '-' || byte == '.';
    });
}

Result<> add_parameter(Target& target, std::string_view piece) {
    const auto equals = std::min(piece.find('='), piece.size());
    const auto name = piece.substr(0, equals);
    if (!is_parameter_name(name))
        return refuse_query("A query parameter has no name, or one that needs escapes.");
    if (target.parameter(name))
        return refuse_query("Query parameter " + std::string(name) + " is sent more than once.");
    if (target.query.size() == kQueryParametersMax)
        return refuse_query("The query has more than 32 parameters.");
    auto value = decode_value(piece.substr(std::min(equals + 1, piece.size())));
    if (!value) return std::unexpected(std::move(value.error()));
    target.query.emplace_back(name, *std::move(value));
    return {};
}

Result<> split_query(Target& target, std::string_view query) {
    std::size_t from = 0;
    while (from <= query.size()) {
        const auto ampersand = std::min(query.find('&', from), query.size());
        const auto added = add_parameter(target, query.substr(from, ampersand - from));
        if (!added) return added;
        from = ampersand + 1;
    }
    return {};
}

}  // namespace

std::string_view Target::tail(std::size_t first_segment) const noexcept {
    if (first_segment >= segments.size()) return {};
    return path.substr(static_cast<std::size_t>(segments[first_segment].data() - path.data()));
}

std::optional<std::string_view> Target::parameter(std::string_view name) const noexcept {
    for (const auto& [known, value] : query) {
        if (known == name) return value;
    }
    return std::nullopt;
}

Result<Target> parse_target(std::string_view target) {
    const auto question = std::min(target.find('?'), target.size());
    Target parsed;
    parsed.path = target.substr(0, question);
    if (!parsed.path.starts_with('/'))
        return fail(ErrorCode::BadRequest, "The request target does not start with \"/\".");
    if (auto ok = check_path_bytes(parsed.path); !ok) return std::unexpected(std::move(ok.error()));
    auto segments = split_path(parsed.path);
    if (!segments) return std::unexpected(std::move(segments.error()));
    parsed.segments = *std::move(segments);
    if (question + 1 < target.size()) {
        if (auto ok = split_query(parsed, target.substr(question + 1)); !ok)
            return std::unexpected(std::move(ok.error()));
    }
    return parsed;
}

}  // namespace fencegate::proxy
