#include "proxy/http/query_parameters.hpp"

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

Result<std::optional<WallTime>> read_time(const Target& target, std::string_view name) {
    const auto text = target.parameter(name);
    if (!text) return std::nullopt;
    const auto time = parse_rfc3339(*text);
    if (!time)
        return fail(ErrorCode::InvalidArgument,
                    std::string(name) +
                        " must be a time as RFC 3339 writes it, e.g. "
                        "2026-11-23T09:30:00Z (a + in a query is spelt %2B).");
    return time;
}

Result<storage::TimeRange> read_time_range(const Target& target, std::string_view from,
                                           std::string_view to) {
    const auto begins = read_time(target, from);
    if (!begins) return std::unexpected(begins.error());
    const auto ends = read_time(target, to);
    if (!ends) return std::unexpected(ends.error());
    if (*begins && *ends && **ends < **begins)
        return fail(ErrorCode::InvalidArgument,
                    std::string(to) + " must not be before " + std::string(from) + ".");
    return storage::TimeRange{.from = *begins, .to = *ends};
}

Result<storage::Place> read_place(const Target& target) {
    const auto text = target.parameter("cursor");
    if (!text) return storage::Place{};
    const auto place = storage::parse_place(*text);
    if (!place)
        return fail(ErrorCode::InvalidArgument,
                    "cursor must be the next_cursor or previous_cursor of an earlier page.");
    return *place;
}

Result<std::string> read_currency(const Target& target) {
    const auto currency = target.parameter("currency");
    if (!currency) return std::string();
    // Not only those of the table: what was once booked stays readable.
    const bool is_code = currency->size() == 3 && std::ranges::all_of(*currency, [](char letter) {
                             return letter >= 'A' && letter <= 'Z';
                         });
    if (!is_code)
        return fail(ErrorCode::InvalidArgument,
                    "currency must be an ISO 4217 code in capitals, e.g. EUR.");
    return std::string(*currency);
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
