#pragma once
// What a holder asks of locks: acquire, renew, release, break; each against the rows and what
// stands beside them. Promises served: 1 (install before reveal), 3 (tokens only rise).
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

#include <optional>

namespace fencegate::storage {

// Nothing: the caller waits, and its answer will be among the outcomes of a later batch.
[[nodiscard]] std::optional<Answer> carry_out(Unit& unit, const Request& request,
                                              const AcquireLock& acquire);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const RenewLease& renew);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReleaseLease& release);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const BreakLock& broken);

}  // namespace fencegate::storage
