#pragma once
// The fence, inside the write's transaction: reads the lease row the token names and asks
// lockmgr::check_fence. There is no other way to a payment write.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

#include <expected>

namespace fencegate::storage {

// Refused writes of one lease that are kept in full.
inline constexpr std::int64_t kRefusalsKept = 100;

// The lease whose token was presented, if the write may pass; else the refusal, which goes on
// record with that lease. `lock` is what the route guards, nullptr where any live lease of the
// principal will do.
[[nodiscard]] std::expected<const lockmgr::Lease*, Answer> pass_fence(
    Unit& unit, const Command& command, const lockmgr::PresentedToken& token,
    const lockmgr::LockName* lock);

// Adds how the lease stands to a refusal: for its own holder only, nobody else learns it. `lock` is
// the one that was asked for, nullptr if none was named.
void describe_lease(Unit& unit, const lockmgr::Lease& lease, const lockmgr::LockName* lock,
                    Error& error);

}  // namespace fencegate::storage
