#pragma once
// The framing gate: decides, from the raw bytes of a request head, where the message ends and
// whether two servers could ever disagree about that. Anything doubtful is refused, never repaired:
// the parser behind it is lenient, and a request read in two ways is a request smuggled.
// Owns: framing and the spelling of head lines. Refuses to own: credentials, routes, bodies.
// Thread rule: pure functions. After any refusal the connection answers 400 and closes.
// Source: RFC 9112 (messages), RFC 9110 (fields). Stricter than both where they allow a choice.

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fencegate::proxy {

inline constexpr std::size_t kHeaderFieldsMax = 100;
inline constexpr std::size_t kMethodBytesMax = 16;

struct Framing {
    bool is_http_1_1 = false;
    bool keep_alive = false;
    bool chunked = false;  // body is chunked; never with content_length
    std::optional<std::uint64_t> content_length = std::nullopt;  // neither: there is no body
    bool expects_continue = false;  // client waits for 100 before it sends the body
};

// The index one past the CRLFCRLF that ends the head, if it has arrived. `scanned_from` is how many
// bytes an earlier call has searched in vain; the terminator may straddle that border.
[[nodiscard]] std::optional<std::size_t> find_head_end(std::string_view bytes,
                                                       std::size_t scanned_from) noexcept;

// `head` is everything from the first byte of the request line through the CRLFCRLF.
// A repeated X-Fence-Token passes: its route answers fence_token_malformed, which says more.
// Fails with: BadRequest, naming the rule; HeaderTooLarge for more than kHeaderFieldsMax fields.
[[nodiscard]] Result<Framing> check_framing(std::string_view head);

}  // namespace fencegate::proxy
