#pragma once
// A request target, cut into path segments and query parameters without interpreting them.
// Path: never decoded and never normalised. No name in this API needs an escape, so "%" there can
// only be an attempt to spell one lock in two ways, and is refused.
// Query: values are percent-decoded once and must be UTF-8 without control bytes.
// Thread rule: plain values; views live as long as the target's bytes.
// Source: RFC 3986; the path rules are this API's own (docs/api.md, lock names).

#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::proxy {

inline constexpr std::size_t kQueryParametersMax = 32;

struct Target {
    std::vector<std::string_view> segments;  // never empty, never "." or ".."; none for "/"
    std::vector<std::pair<std::string_view, std::string>> query;  // names differ from each other
    std::string_view path;                                        // with its leading "/"

    // The path from that segment on, without a leading "/": payments/pay_42 for the lock route.
    // Empty when there are fewer segments.
    [[nodiscard]] std::string_view tail(std::size_t first_segment) const noexcept;

    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

// Fails with: InvalidLockName for a path below /v1/locks/, else BadRequest; BadRequest for a query.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

}  // namespace fencegate::proxy
