#pragma once
// What a failure of PostgreSQL means for the store, by its SQLSTATE.
// Thread rule: pure. Source: PostgreSQL 15, appendix A.

#include "storage/model/failure.hpp"

#include <string_view>

namespace fencegate::storage::postgres {

// Empty: the server said nothing, the connection is gone.
[[nodiscard]] Failure::Kind kind_of(std::string_view sqlstate) noexcept;

}  // namespace fencegate::storage::postgres
