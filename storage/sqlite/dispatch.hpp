#pragma once
// From a command to the one method that carries it out.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/sqlite/lock_commands.hpp"
#include "storage/sqlite/payment_commands.hpp"

#include <optional>

namespace fencegate::storage::sqlite {

// True for what never writes and so needs no savepoint.
[[nodiscard]] bool is_read(const Operation& operation);

// Nothing: the caller waits.
[[nodiscard]] std::optional<Answer> dispatch(LockCommands& locks, PaymentCommands& payments,
                                             Batch& batch, const Request& request);

}  // namespace fencegate::storage::sqlite
