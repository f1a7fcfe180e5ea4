#include "proxy/query_parameters.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace fencegate::proxy {
namespace {

constexpr std::int64_t kPageMax = 100;
constexpr std::int64_t kPageDefault = 10;

}  // namespace

Result<int> read_page(const Target& target) {
    const auto limit = read_number(target, "limit", kPageDefault, 1, kPageMax);
    if (!limit) return std::unexpected(limit.error());
    return static_cast<int>(*limit);
}

Result<std::int64_t> read_number(const Target& target, std::string_view name, std::int64_t fallback,
                                 std::int64_t min, std::int64_t max) {
    const auto text = target.parameter(name);
    if (!text) return fallback;
    std::int64_t value = 0;
    const auto* end = text->data() + text->size();
    const auto [at, ec] = std::from_chars(text->data(), end, value);
    if (ec != std::errc{} || at != end || value < min || value > max)
        return fail(ErrorCode::InvalidArgument,
                    std::string(name) + " must be a whole number between " + std::to_string(min) +
                        " and " + std::to_string(max) + ".");
    return value;
}

Result<> check_parameters(const Target& target, std::initializer_list<std::string_view> allowed) {
    for (const auto& [name, value] : target.query) {
        if (std::ranges::find(allowed, name) != allowed.end()) continue;
        std::string known;
        for (const auto one : allowed) known.append(known.empty() ? "" : ", ").append(one);
        return fail(ErrorCode::InvalidArgument,
                    known.empty() ? "This route takes no query parameters."
                                  : "This route takes only the query parameters " + known + ".");
    }
    return {};
}

}  // namespace fencegate::proxy
