#pragma once
// The grammar of the header values this API gives a meaning to. Each has exactly one reading here.
// Owns: value syntax. Refuses to own: whether a key or token is known, and which route needs one.
// Thread rule: pure functions.
// Source: RFC 6750 (Bearer), RFC 8941 section 3.3.3 (sf-string), RFC 9110 sections 8.3.1 (media
// type) and 12.5.3 (Accept-Encoding), W3C Trace Context level 1.

#include "base/result.hpp"
#include "lockmgr/fence_rule.hpp"
#include "proxy/http/request_head.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 255;

// X-Fence-Token. Sent twice, even with the same value, is Malformed.
[[nodiscard]] lockmgr::PresentedToken read_fence_token(const RequestHead& head) noexcept;

// X-Fence-Release: whether the write is to end the lease it is made under.
// Fails with: InvalidArgument (sent twice, or anything but `1`).
[[nodiscard]] Result<bool> read_fence_release(const RequestHead& head);

// If-Fence-Token, which names the token an admin saw before breaking its lock.
[[nodiscard]] lockmgr::PresentedToken read_if_fence_token(const RequestHead& head) noexcept;

// The versions that If-Match names, of payments: `"42"`, or several with commas. Nothing: the
// header is absent, or `*`, and any version will do. A weak tag, or one that this API never gave,
// names no version. Fails with: InvalidArgument (not a list of entity tags). Source:
// RFC 9110 section 13.1.1.
[[nodiscard]] Result<std::optional<std::vector<std::int64_t>>> read_if_match(
    const RequestHead& head);

// The key itself. Two spellings name the same key: bare (Stripe's clients) and the quoted
// sf-string of the IETF draft, in which \" and \\ are the only escapes. A bare key is visible ASCII
// without a quote: a blank in it would more likely be two keys joined by a proxy than one key.
// Fails with: IdempotencyKeyMalformed.
[[nodiscard]] Result<std::string> read_idempotency_key(std::string_view raw);

// application/json, optionally with charset=utf-8. REQUIRES: the request has a body.
// Fails with: UnsupportedMediaType, also when the header is absent.
[[nodiscard]] Result<> check_json_content_type(std::optional<std::string_view> content_type);

// Whether Accept-Encoding admits gzip: by name or by "*", with a weight that is not zero. What
// cannot be read admits nothing.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding) noexcept;

// The key after "Bearer " (scheme in any case), if what follows is a token68.
[[nodiscard]] std::optional<std::string_view> bearer_key(std::string_view authorization) noexcept;

// True for a version 00 traceparent with non-zero ids. Anything else starts a new trace.
[[nodiscard]] bool is_valid_traceparent(std::string_view text) noexcept;

}  // namespace fencegate::proxy
