#pragma once
// Ownership: which gateway a store belongs to, and the take-over. Each has an epoch of its own, so
// the one before, paused or cut off, is told apart by its row, not by a clock; see connection.hpp.
// Thread rule: plain values; take_over() before anything is served.

#include "base/result.hpp"
#include "storage/postgres/session.hpp"

#include <cstdint>
#include <string>

namespace fencegate::storage::postgres {

struct Ownership {
    std::string session;  // the application_name of its connections
    std::int64_t epoch = 0;
};

// Ends the connections of who owned the store, and makes `session` the owner. Nothing of the one
// before commits afterwards. What is read of the store before this may change; read it then.
// REQUIRES: `session` is the name of the connection, and no other has it.
// Fails with: Internal.
[[nodiscard]] Result<Ownership> take_over(Session& connection, std::string session);

}  // namespace fencegate::storage::postgres
