#pragma once
// Query parameters that several routes take. Thread rule: pure functions.
// Errors: InvalidArgument, naming the parameter and what it takes.

#include "base/result.hpp"
#include "proxy/target.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace fencegate::proxy {

// `limit`: 1 to 100, 10 if absent.
[[nodiscard]] Result<int> read_page(const Target& target);

[[nodiscard]] Result<std::int64_t> read_number(const Target& target, std::string_view name,
                                               std::int64_t fallback, std::int64_t min,
                                               std::int64_t max);

// Refuses a parameter that the route does not take: a misspelt filter would show everything.
[[nodiscard]] Result<> check_parameters(const Target& target,
                                        std::initializer_list<std::string_view> allowed);

}  // namespace fencegate::proxy
