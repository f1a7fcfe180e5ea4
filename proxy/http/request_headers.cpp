#include "proxy/http/request_headers.hpp"

#include "base/hex.hpp"
#include "lockmgr/fencing_token.hpp"
#include "proxy/http/header_lines.hpp"

#include <algorithm>

namespace fencegate::proxy {

using lockmgr::PresentedToken;
using lockmgr::TokenFault;
namespace {

PresentedToken read_token(std::string_view text) noexcept {
    const auto token = lockmgr::FencingToken::parse(text);
    if (!token) return std::unexpected(TokenFault::Malformed);
    return *token;
}

std::unexpected<Error> refuse_key(std::string detail) {
    return fail(ErrorCode::IdempotencyKeyMalformed, std::move(detail));
}

Result<std::string> read_bare_key(std::string_view raw) {
    const bool is_plain = std::ranges::all_of(
        raw, [](char byte) { return byte > ' ' && byte < '\x7f' && byte != '"'; });
    if (!is_plain)
        return refuse_key(
            "An unquoted Idempotency-Key is visible ASCII without blanks and quotes; put it in "
            "quotes or choose another, such as a UUID.");
    return std::string(raw);
}

// REQUIRES: `raw` starts with a quote.
Result<std::string> read_quoted_key(std::string_view raw) {
    if (raw.size() < 2 || raw.back() != '"')
        return refuse_key("The quoted Idempotency-Key has no closing quote, or text after it.");
    const auto inner = raw.substr(1, raw.size() - 2);
    std::string key;
    key.reserve(inner.size());
    for (std::size_t at = 0; at < inner.size(); ++at) {
        char byte = inner[at];
        if (byte == '"') return refuse_key("The quoted Idempotency-Key has a quote inside.");
        if (byte == '\\') {
            ++at;
            if (at == inner.size() || (inner[at] != '"' && inner[at] != '\\'))
                return refuse_key("In a quoted Idempotency-Key, \"\\\" only escapes \" and \\.");
            byte = inner[at];
        }
        if (byte < ' ' || byte >= '\x7f')
            return refuse_key("The Idempotency-Key holds a byte that is not printable ASCII.");
        key.push_back(byte);
    }
    return key;
}

// Cuts an entity tag off `rest`: its text, or nothing if there is none. REQUIRES: no blank leads.
std::optional<std::string_view> next_entity_tag(std::string_view& rest, bool& is_weak) {
    is_weak = rest.starts_with("W/");
    if (is_weak) rest.remove_prefix(2);
    if (!rest.starts_with('"')) return std::nullopt;
    const auto end = rest.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    const auto tag = rest.substr(1, end - 1);
    rest = trim_blanks(rest.substr(end + 1));
    return tag;
}

std::unexpected<Error> refuse_if_match() {
    return fail(
        ErrorCode::InvalidArgument,
        "If-Match must be \"*\" or the ETag of a payment with its quotes, or several with commas.");
}

bool is_token68(std::string_view text) noexcept {
    const auto body = text.substr(0, text.find('='));
    const auto padding = text.substr(body.size());
    const auto is_token68_byte = [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
               (byte >= '0' && byte <= '9') || std::string_view("-._~+/").contains(byte);
    };
    return !body.empty() && std::ranges::all_of(body, is_token68_byte) &&
           padding.find_first_not_of('=') == std::string_view::npos;
}

// What stands before the first `mark` in `rest`, which keeps what stands behind it.
std::string_view take_until(std::string_view& rest, char mark) noexcept {
    const auto end = rest.find(mark);
    const auto part = trim_blanks(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

// Whether `parameters` of a coding leave it admitted: none, or one weight that is not zero.
bool has_weight(std::string_view parameters) noexcept {
    parameters = trim_blanks(parameters);
    if (parameters.empty()) return true;
    const bool is_weight = equals_ignoring_case(parameters.substr(0, 2), "q=");
    const auto weight = parameters.substr(is_weight ? 2 : parameters.size());
    return weight.find_first_not_of("0.") != std::string_view::npos &&
           weight.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_all_zero(std::string_view text) noexcept {
    return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

PresentedToken read_fence_token(const RequestHead& head) noexcept {
    if (head.fence_token_count == 0) return lockmgr::kNoToken;
    if (head.fence_token_count > 1) return std::unexpected(TokenFault::Malformed);
    return read_token(head.fence_token.value_or(std::string_view{}));
}

Result<bool> read_fence_release(const RequestHead& head) {
    if (head.fence_release_count == 0) return false;
    if (head.fence_release_count > 1 || head.fence_release != "1")
        return fail(ErrorCode::InvalidArgument,
                    "X-Fence-Release must be sent once, as \"1\"; leave it out to keep the lease.");
    return true;
}

PresentedToken read_if_fence_token(const RequestHead& head) noexcept {
    if (!head.if_fence_token) return lockmgr::kNoToken;
    return read_token(*head.if_fence_token);
}

Result<std::optional<std::vector<std::int64_t>>> read_if_match(const RequestHead& head) {
    if (!head.if_match || *head.if_match == "*") return std::nullopt;
    std::vector<std::int64_t> versions;
    auto rest = *head.if_match;
    for (;;) {
        bool is_weak = false;
        const auto tag = next_entity_tag(rest, is_weak);
        if (!tag) return refuse_if_match();
        const auto version = lockmgr::FencingToken::parse(*tag);  // the same form of number
        if (version && !is_weak) versions.push_back(version->value());
        if (rest.empty()) return versions;
        if (!rest.starts_with(',')) return refuse_if_match();
        rest = trim_blanks(rest.substr(1));
    }
}

Result<std::string> read_idempotency_key(std::string_view raw) {
    // Escapes at most double the length, so longer input is never worth unquoting.
    if (raw.size() > 2 * kIdempotencyKeyBytesMax + 2)
        return refuse_key("The Idempotency-Key is longer than 255 bytes.");
    auto key = raw.starts_with('"') ? read_quoted_key(raw) : read_bare_key(raw);
    if (!key) return key;
    if (key->empty()) return refuse_key("The Idempotency-Key is empty.");
    if (key->size() > kIdempotencyKeyBytesMax)
        return refuse_key("The Idempotency-Key is longer than 255 bytes.");
    return key;
}

Result<> check_json_content_type(std::optional<std::string_view> content_type) {
    if (!content_type)
        return fail(ErrorCode::UnsupportedMediaType,
                    "The body has no Content-Type; send application/json.");
    const auto semicolon = content_type->find(';');
    const auto media_type = trim_blanks(content_type->substr(0, semicolon));
    auto parameter = std::string_view{};
    if (semicolon != std::string_view::npos)
        parameter = trim_blanks(content_type->substr(semicolon + 1));
    const bool is_utf8 = parameter.empty() || equals_ignoring_case(parameter, "charset=utf-8") ||
                         equals_ignoring_case(parameter, "charset=\"utf-8\"");
    if (!is_utf8 || !equals_ignoring_case(media_type, "application/json"))
        return fail(ErrorCode::UnsupportedMediaType,
                    "The body must be application/json, in UTF-8.");
    return {};
}

bool accepts_gzip(std::string_view accept_encoding) noexcept {
    bool admits_any = false;
    while (!accept_encoding.empty()) {
        auto element = take_until(accept_encoding, ',');
        const auto coding = take_until(element, ';');
        if (equals_ignoring_case(coding, "gzip") || equals_ignoring_case(coding, "x-gzip"))
            return has_weight(element);
        if (coding == "*") admits_any = has_weight(element);
    }
    return admits_any;
}

std::optional<std::string_view> bearer_key(std::string_view authorization) noexcept {
    constexpr std::string_view kScheme = "bearer";
    const auto blank = authorization.find(' ');
    if (blank == std::string_view::npos) return std::nullopt;
    if (!equals_ignoring_case(authorization.substr(0, blank), kScheme)) return std::nullopt;
    auto key = authorization.substr(blank);
    key.remove_prefix(std::min(key.find_first_not_of(' '), key.size()));
    if (!is_token68(key)) return std::nullopt;
    return key;
}

bool is_valid_traceparent(std::string_view text) noexcept {
    constexpr std::size_t kBytes = 55;  // 00-<32>-<16>-<2>
    if (text.size() != kBytes || !text.starts_with("00-") || text[35] != '-' || text[52] != '-')
        return false;
    const auto trace_id = text.substr(3, 32);
    const auto parent_id = text.substr(36, 16);
    return is_hex(trace_id) && is_hex(parent_id) && is_hex(text.substr(53)) &&
           !is_all_zero(trace_id) && !is_all_zero(parent_id);
}

}  // namespace fencegate::proxy
