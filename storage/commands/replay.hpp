#pragma once
// Replay: the idempotency look-up that comes before everything else in a write, and the record
// that closes it. Thread rule: belongs to the store thread.

#include "storage/model/operation.hpp"
#include "storage/unit/unit.hpp"

#include <optional>

namespace fencegate::storage {

// The answer if the key has been used: the first answer again, IdempotencyMismatch, or
// IdempotencyInFlight while an acquire waits under it.
// A lease is told as it stands now, and how it ended once it has: whoever reads a success may act
// on it. Everything else is told byte for byte.
[[nodiscard]] std::optional<Answer> replay(Unit& unit, const Command& command,
                                           const Idempotency& idempotency);

// Records the answer under the key, in the transaction of its effect, if it is one to keep:
// a success, or what the rules of payments refused. Anything else leaves the key free.
// REQUIRES: `command` takes no lock.
void remember(Unit& unit, const Command& command, const Idempotency& idempotency,
              const Answer& answer);

// As remember(), for a grant: only the token, the lease tells the rest.
void remember_grant(Unit& unit, const Command& command, const Idempotency& idempotency,
                    const lockmgr::Lease& lease);
}  // namespace fencegate::storage
