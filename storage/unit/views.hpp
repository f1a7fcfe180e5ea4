#pragma once
// Views: leases and locks as they stand, rows and live state together, for the documents.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/documents/lock_documents.hpp"
#include "storage/unit/unit.hpp"

#include <cstddef>
#include <optional>

namespace fencegate::storage {

// How many holders and waiters of one lock a document shows.
inline constexpr std::size_t kShownMax = 100;

// With what is left of it: after a restart, or in the batch that granted it, its full TTL.
[[nodiscard]] LeaseView view_of(const Unit& unit, lockmgr::Lease lease);

// Whether the deadline of a live lease has passed, for the command that is executed. Its end is an
// event of its own, which other work or a full disk may keep waiting.
[[nodiscard]] bool is_over(const Unit& unit, lockmgr::FencingToken token);

// As whoever asks is told of it: over is expired.
[[nodiscard]] lockmgr::Lease as_told(const Unit& unit, lockmgr::Lease lease);

// How much of its TTL a live lease has left: 1 at its grant, 0 at its deadline.
[[nodiscard]] double share_left(const Unit& unit, const lockmgr::Lease& lease);

// The lease that has held the lock for the shortest time, if one does.
[[nodiscard]] std::optional<LeaseView> holder_of(Unit& unit, const lockmgr::LockName& lock);

[[nodiscard]] LockView view_of(Unit& unit, const lockmgr::LockName& lock, std::size_t shown_max);

}  // namespace fencegate::storage
