#pragma once
// What a key is refused with that was used for something else. Whoever reads it may have sent a
// call that was carried out, so it says what the key stands for, and nothing that would do it
// twice. Thread rule: a pure function.

#include "lockmgr/lease.hpp"
#include "storage/model/command.hpp"
#include "storage/sqlite/answer_rows.hpp"

#include <optional>

namespace fencegate::storage {

// IdempotencyMismatch with original_operation, original_resource, original_at, and original_code if
// the first call was refused. `lease` is the one that `stored` names, if there is one.
[[nodiscard]] Error mismatch(const sqlite::StoredAnswer& stored,
                             const std::optional<lockmgr::Lease>& lease, const Command& command);

}  // namespace fencegate::storage
