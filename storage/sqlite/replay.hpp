#pragma once
// Replay: the idempotency look-up that comes before everything else in a write, and the record
// that closes it. Thread rule: belongs to the store thread.

#include "storage/sqlite/batch.hpp"

#include <optional>
#include <string_view>

namespace fencegate::storage::sqlite {

// The answer if the key has been used: the first answer again, IdempotencyMismatch, or
// IdempotencyInFlight while an acquire waits under it.
// A grant is replayed as its lease stands now; everything else byte for byte.
[[nodiscard]] std::optional<Answer> replay(Tables& tables, Batch& batch, std::string_view principal,
                                           const Idempotency& idempotency);

// Records the answer under the key, in the transaction of its effect.
void remember(Tables& tables, Batch& batch, const Command& command, const Idempotency& idempotency,
              const Answer& answer, std::optional<std::int64_t> token);

// As remember(), for a grant: only the token, the lease tells the rest.
void remember_grant(Tables& tables, Batch& batch, const Command& command,
                    const Idempotency& idempotency, const lockmgr::Lease& lease);
}  // namespace fencegate::storage::sqlite
