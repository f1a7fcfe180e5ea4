#pragma once
// The canonical form of a write: what it asks for, whatever spelling it came in. Two requests have
// one form exactly if the store would do the same for both: the order of members, blanks, escapes,
// and defaults that are spelt out do not count.
// Not in it, because they are not what is asked for: the fencing token (a successor repeats its
// predecessor's call), If-Match (who reads again before repeating sends another) and wait_ms (who
// waits in rounds has less patience left for the last).
// Thread rule: pure functions.

#include "lockmgr/lock_class.hpp"
#include "storage/model/command.hpp"

#include <string>
#include <string_view>

namespace fencegate::storage {

// Stored as part of a fingerprint: another form of the same operation orphans the answers that are
// kept, and their callers are told of a mismatch. Change it with kFingerprintVersion only.
[[nodiscard]] std::string canonical_form(const Operation& operation,
                                         const lockmgr::LockClasses& classes);

// The members of every object sorted by name. REQUIRES: compact JSON as JsonWriter writes it, so
// that texts and numbers are spelt in one way only; or nothing.
[[nodiscard]] std::string canonical_json(std::string_view json);

}  // namespace fencegate::storage
