#pragma once
// What a route may want to know of a request head, as views. The security headers are taken from
// the head before the body is read, so a trailer can never supply one.
// Owns: picking. Refuses to own: judging the values (request_headers.hpp does).
// Thread rule: plain values; the views live as long as the head's bytes.

#include <optional>
#include <string_view>

namespace fencegate::proxy {

struct RequestHead {
    std::string_view method;
    std::string_view target;
    std::optional<std::string_view> accept_encoding;  // the first one
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> content_type;
    std::optional<std::string_view> idempotency_key;
    std::optional<std::string_view> traceparent;    // empty when sent twice: neither can be trusted
    std::optional<std::string_view> fence_token;    // the first one
    std::optional<std::string_view> fence_release;  // the first one
    std::optional<std::string_view> if_fence_token;
    std::optional<std::string_view> if_match;
    std::optional<std::string_view> last_event_id;  // where a stream is to go on
    int fence_token_count = 0;    // X-Fence-Token lines; more than one is malformed
    int fence_release_count = 0;  // X-Fence-Release lines, likewise
};

// Values come without the blanks around them. Allocates nothing.
// REQUIRES: check_framing(head) succeeded.
[[nodiscard]] RequestHead read_head(std::string_view head) noexcept;

}  // namespace fencegate::proxy
