#pragma once
// What a key is refused with that was used for something else. Whoever reads it may have sent a
// call that was carried out, so it says what the key stands for, and nothing that would do it
// twice. Thread rule: a pure function.

#include "lockmgr/lease.hpp"
#include "storage/model/command.hpp"
#include "storage/model/stored_answer.hpp"

#include <optional>
#include <string_view>

namespace fencegate::storage {

// The first call was somebody else's, or may have been: repeated as it was, it would tell this one
// of a lease that is not its own.
inline constexpr std::string_view kRemedyOfAnotherOwner =
    "This key belongs to the call of another owner: do not repeat that call. Each worker acquires "
    "under keys of its own. Calls that move money keep their keys.";
inline constexpr std::string_view kRemedyOfAnotherCaller =
    "If the first call was yours, repeat it unchanged under this key to read its answer again. If "
    "it was another worker's, leave it alone: each worker uses keys of its own to acquire.";
inline constexpr std::string_view kRemedyOfNoResource =
    "The first call left nothing behind that could be read. Repeat it unchanged under this key to "
    "read its answer again.";

// IdempotencyMismatch with original_operation, original_resource, original_at, and original_code if
// the first call was refused. `lease` is the one that `stored` names, if there is one.
[[nodiscard]] Error mismatch(const StoredAnswer& stored, const lockmgr::Lease* lease,
                             const Command& command);

}  // namespace fencegate::storage
