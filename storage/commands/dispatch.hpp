#pragma once
// From a request to the one function that carries it out, with its key and the end of its lease.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

#include <optional>

namespace fencegate::storage {

// Nothing: the caller waits.
[[nodiscard]] std::optional<Answer> dispatch(Unit& unit, const Request& request);

}  // namespace fencegate::storage
