#pragma once
// Query parameters that several routes take. Thread rule: pure functions.
// Errors: InvalidArgument, naming the parameter and what it takes.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "proxy/http/target.hpp"
#include "storage/model/reading.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::proxy {

// `limit`: 1 to 100, 10 if absent.
[[nodiscard]] Result<int> read_page(const Target& target);

[[nodiscard]] Result<std::int64_t> read_number(const Target& target, std::string_view name,
                                               std::int64_t fallback, std::int64_t min,
                                               std::int64_t max);

// A time as RFC 3339 writes it.
[[nodiscard]] Result<std::optional<WallTime>> read_time(const Target& target,
                                                        std::string_view name);

// Two times, the second not before the first. REQUIRES: the names are literals.
[[nodiscard]] Result<storage::TimeRange> read_time_range(const Target& target,
                                                         std::string_view from,
                                                         std::string_view to);

// `cursor`: as a page of such a list told it.
[[nodiscard]] Result<storage::Place> read_place(const Target& target);

// `currency`: empty if absent.
[[nodiscard]] Result<std::string> read_currency(const Target& target);

// Refuses a parameter that the route does not take: a misspelt filter would show everything.
[[nodiscard]] Result<> check_parameters(const Target& target,
                                        std::initializer_list<std::string_view> allowed);

}  // namespace fencegate::proxy
