#include "proxy/http/framing_gate.hpp"

#include "proxy/http/header_lines.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace fencegate::proxy {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

constexpr bool is_digit(char byte) noexcept { return byte >= '0' && byte <= '9'; }

constexpr bool is_alphanumeric(char byte) noexcept {
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

// tchar of RFC 9110 section 5.6.2.
constexpr auto kTokenBytes = [] {
    std::array<bool, 256> table{};
    for (unsigned byte = 0; byte < 128; ++byte) {
        const char letter = static_cast<char>(byte);
        table[byte] = is_alphanumeric(letter) ||
                      std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos;
    }
    return table;
}();

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char byte) {
        return kTokenBytes[static_cast<unsigned char>(byte)];
    });
}

std::unexpected<Error> refuse(std::string detail) {
    return fail(ErrorCode::BadRequest, std::move(detail));
}

// Reads a head line by line and collects what the lines add up to. One object, one head.
class Gate {
public:
    Result<Framing> run(std::string_view head);

private:
    Result<> check_line_end(std::string_view line) const;
    Result<> read_request_line(std::string_view line);
    Result<> read_version(std::string_view version);
    Result<> read_field_line(std::string_view line);
    Result<> read_field(HeaderId id, const HeaderField& field);
    Result<> note_once(HeaderId id, std::string_view name);
    Result<> read_host(std::string_view value);
    Result<> read_content_length(std::string_view value);
    Result<> read_transfer_encoding(std::string_view value);
    Result<> read_connection(std::string_view value);
    Result<> read_expect(std::string_view value);
    Result<Framing> conclude();

    [[nodiscard]] bool has(HeaderId id) const noexcept { return (seen_ & bit(id)) != 0; }
    static constexpr std::uint32_t bit(HeaderId id) noexcept {
        return std::uint32_t{1} << std::to_underlying(id);
    }

    Framing framing_;
    std::uint32_t seen_ = 0;  // one bit for each HeaderId that must not come twice
    std::size_t fields_ = 0;
    bool close_asked_ = false;
    bool keep_alive_asked_ = false;
    bool method_takes_no_body_ = false;
};

Result<Framing> Gate::run(std::string_view head) {
    if (!head.ends_with(kHeadEnd)) return refuse("The request head does not end with CRLF CRLF.");
    std::string_view rest = head.substr(0, head.size() - 2);  // without the empty last line
    const auto request_line = next_line(rest);
    if (auto ok = check_line_end(request_line); !ok) return std::unexpected(std::move(ok.error()));
    if (auto ok = read_request_line(request_line); !ok)
        return std::unexpected(std::move(ok.error()));
    while (!rest.empty()) {
        const auto line = next_line(rest);
        if (auto ok = check_line_end(line); !ok) return std::unexpected(std::move(ok.error()));
        if (auto ok = read_field_line(line); !ok) return std::unexpected(std::move(ok.error()));
    }
    return conclude();
}

Result<> Gate::check_line_end(std::string_view line) const {
    if (line.ends_with('\n')) return refuse("A bare LF ends a line; only CRLF may.");
    if (line.find('\r') != std::string_view::npos)
        return refuse("A bare CR stands inside a line; CR may only come before LF.");
    return {};
}

Result<> Gate::read_request_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return refuse("The request line is not \"method target version\" with single spaces.");
    const auto method = line.substr(0, first);
    const auto target = line.substr(first + 1, last - first - 1);
    if (method.empty() || method.size() > kMethodBytesMax ||
        !std::ranges::all_of(method, [](char byte) { return byte >= 'A' && byte <= 'Z'; }))
        return refuse("The method is not 1 to 16 letters A-Z.");
    if (!target.starts_with('/'))
        return refuse("The request target is not in origin form: it must start with \"/\".");
    if (!std::ranges::all_of(target, [](char byte) { return byte > ' ' && byte < '\x7f'; }))
        return refuse("The request target holds a byte outside visible ASCII.");
    if (target.find('#') != std::string_view::npos)
        return refuse("The request target holds a fragment (\"#\").");
    method_takes_no_body_ = method == "GET" || method == "HEAD";
    return read_version(line.substr(last + 1));
}

Result<> Gate::read_version(std::string_view version) {
    framing_.is_http_1_1 = version == "HTTP/1.1";
    if (!framing_.is_http_1_1 && version != "HTTP/1.0")
        return refuse("The version is neither HTTP/1.1 nor HTTP/1.0.");
    return {};
}

// Names the rule that a name which is no token breaks; only reached on refusal.
std::string_view bad_name_detail(std::string_view name) noexcept {
    if (name.empty()) return "A header field has an empty name.";
    if (name.back() == ' ' || name.back() == '\t')
        return "A blank stands between a header name and its colon.";
    return "A header name holds a byte that no token may hold.";
}

bool is_field_value(std::string_view value) noexcept {
    bool is_clean = true;  // no early exit: the loop stays simple enough to be vectorised
    for (const char byte : value) {
        const auto code = static_cast<unsigned char>(byte);
        is_clean &= (code >= 0x20 && code < 0x7f) || code == '\t';
    }
    return is_clean;
}

Result<> Gate::read_field_line(std::string_view line) {
    if (++fields_ > kHeaderFieldsMax)
        return fail(ErrorCode::HeaderTooLarge, "The request has more than 100 header fields.");
    if (line.empty()) return refuse("An empty line stands inside the request head.");
    if (line.front() == ' ' || line.front() == '\t')
        return refuse("A header line starts with a blank (obsolete line folding).");
    if (line.find(':') == std::string_view::npos) return refuse("A header line has no colon.");
    const auto field = split_field(line);
    if (!is_token(field.name)) return refuse(std::string(bad_name_detail(field.name)));
    // X_Fence_Token is X-Fence-Token to whatever turns names into CGI variables.
    if (field.name.find('_') != std::string_view::npos)
        return refuse("A header name holds \"_\", which some servers read as \"-\".");
    if (!is_field_value(field.value))
        return refuse("The value of header " + std::string(field.name) +
                      " holds a control byte or a byte above 0x7e.");
    return read_field(header_id(field.name), field);
}

Result<> Gate::read_field(HeaderId id, const HeaderField& field) {
    switch (id) {
        case HeaderId::AcceptEncoding:
        case HeaderId::Other:
        case HeaderId::Traceparent:
        case HeaderId::XFenceRelease:
        case HeaderId::XFenceToken: return {};
        case HeaderId::Connection:
        case HeaderId::ProxyConnection: return read_connection(field.value);
        case HeaderId::Trailer:
            return refuse("Trailer fields are not accepted; send every field in the head.");
        case HeaderId::Authorization:
        case HeaderId::ContentLength:
        case HeaderId::ContentType:
        case HeaderId::Expect:
        case HeaderId::Host:
        case HeaderId::IdempotencyKey:
        case HeaderId::IfFenceToken:
        case HeaderId::IfMatch:
        case HeaderId::LastEventId:
        case HeaderId::TransferEncoding: break;
    }
    if (auto ok = note_once(id, field.name); !ok) return ok;
    if (id == HeaderId::Host) return read_host(field.value);
    if (id == HeaderId::ContentLength) return read_content_length(field.value);
    if (id == HeaderId::TransferEncoding) return read_transfer_encoding(field.value);
    if (id == HeaderId::Expect) return read_expect(field.value);
    return {};
}

Result<> Gate::note_once(HeaderId id, std::string_view name) {
    if (has(id)) return refuse("Header " + std::string(name) + " is sent more than once.");
    seen_ |= bit(id);
    return {};
}

bool is_port(std::string_view text) noexcept {
    unsigned port = 0;
    if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return false;
    std::from_chars(text.data(), text.data() + text.size(), port);
    return port <= 65535;
}

bool is_ip_literal_byte(char byte) noexcept {
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F') ||
           byte == ':' || byte == '.';
}

bool is_host_name_byte(char byte) noexcept {
    return is_alphanumeric(byte) || byte == '.' || byte == '-' || byte == '_' || byte == '~';
}

// Names, IPv4 and bracketed IPv6 with an optional port. Narrower than uri-host of RFC 3986: what is
// left out (percent-encoding, sub-delims, user info) is only ever seen in attacks.
bool is_host(std::string_view value) noexcept {
    auto host_end = value.find(':');
    bool is_good_host = false;
    if (value.starts_with('[')) {
        const auto bracket = value.find(']');
        if (bracket == std::string_view::npos || bracket < 3) return false;
        is_good_host = std::ranges::all_of(value.substr(1, bracket - 1), is_ip_literal_byte);
        host_end = bracket + 1 == value.size() ? std::string_view::npos : bracket + 1;
    } else {
        const auto name = value.substr(0, host_end);
        is_good_host = !name.empty() && std::ranges::all_of(name, is_host_name_byte);
    }
    if (host_end == std::string_view::npos) return is_good_host;
    return is_good_host && value[host_end] == ':' && is_port(value.substr(host_end + 1));
}

Result<> Gate::read_host(std::string_view value) {
    if (!is_host(value)) return refuse("Host is not a host name or address with an optional port.");
    return {};
}

Result<> Gate::read_content_length(std::string_view value) {
    constexpr std::size_t kDigitsMax = 19;  // always fits 64 bits
    const bool is_number = !value.empty() && value.size() <= kDigitsMax &&
                           std::ranges::all_of(value, is_digit) &&
                           (value.front() != '0' || value.size() == 1);
    if (!is_number)
        return refuse("Content-Length is not a plain decimal number of at most 19 digits.");
    std::uint64_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    framing_.content_length = length;
    return {};
}

Result<> Gate::read_transfer_encoding(std::string_view value) {
    if (!equals_ignoring_case(value, "chunked"))
        return refuse("Transfer-Encoding is not exactly \"chunked\".");
    framing_.chunked = true;
    return {};
}

// A list of tokens, in which RFC 9110 section 5.6.1 lets elements be empty. The parser behind the
// gate reads Proxy-Connection the same way, so the gate does too rather than disagree.
Result<> Gate::read_connection(std::string_view value) {
    std::size_t from = 0;
    while (from <= value.size()) {
        const auto comma = std::min(value.find(',', from), value.size());
        const auto option = trim_blanks(value.substr(from, comma - from));
        from = comma + 1;
        if (option.empty()) continue;
        if (!is_token(option)) return refuse("Connection is not a list of tokens.");
        close_asked_ |= equals_ignoring_case(option, "close");
        keep_alive_asked_ |= equals_ignoring_case(option, "keep-alive");
    }
    return {};
}

Result<> Gate::read_expect(std::string_view value) {
    if (!equals_ignoring_case(value, "100-continue"))
        return refuse("The only expectation this server knows is \"Expect: 100-continue\".");
    framing_.expects_continue = true;
    return {};
}

Result<Framing> Gate::conclude() {
    if (framing_.is_http_1_1 && !has(HeaderId::Host)) return refuse("HTTP/1.1 needs a Host.");
    if (framing_.chunked && framing_.content_length)
        return refuse("Transfer-Encoding and Content-Length are both sent.");
    if (framing_.chunked && !framing_.is_http_1_1)
        return refuse("HTTP/1.0 has no Transfer-Encoding.");
    // RFC 9110 section 9.3.1 gives such a body no meaning, which is where smuggling lives.
    if (method_takes_no_body_ && (framing_.chunked || framing_.content_length.value_or(0) != 0))
        return refuse("GET and HEAD take no body.");
    // RFC 9110 section 10.1.1: the expectation of an HTTP/1.0 client is ignored.
    framing_.expects_continue = framing_.expects_continue && framing_.is_http_1_1;
    framing_.keep_alive = !close_asked_ && (framing_.is_http_1_1 || keep_alive_asked_);
    return framing_;
}

}  // namespace

std::optional<std::size_t> find_head_end(std::string_view bytes,
                                         std::size_t scanned_from) noexcept {
    const auto overlap = kHeadEnd.size() - 1;
    const auto at = bytes.find(kHeadEnd, scanned_from > overlap ? scanned_from - overlap : 0);
    if (at == std::string_view::npos) return std::nullopt;
    return at + kHeadEnd.size();
}

Result<Framing> check_framing(std::string_view head) { return Gate{}.run(head); }

}  // namespace fencegate::proxy
