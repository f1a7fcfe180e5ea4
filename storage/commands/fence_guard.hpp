#pragma once
// The fence, inside the write's transaction: reads the lease row the token names and asks
// lockmgr::check_fence. There is no other way to a payment write.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/unit/batch.hpp"

#include <optional>

namespace fencegate::storage {

// Refused writes of one lease that are kept in full.
inline constexpr std::int64_t kRefusalsKept = 100;

// Nothing if the write may pass; else the refusal, which goes on record with the lease whose token
// was presented. `lock` is what the route guards, nullptr where any live lease of the principal
// will do. `owner` takes the label of the lease that passed.
[[nodiscard]] std::optional<Answer> refuse_by_fence(Tables& tables, Batch& batch,
                                                    const lockmgr::LockClasses& classes,
                                                    const Command& command,
                                                    const lockmgr::PresentedToken& token,
                                                    const lockmgr::LockName* lock,
                                                    std::string* owner = nullptr);

// Adds how the lease stands to a refusal: for its own holder only, nobody else learns it. `lock` is
// the one that was asked for, nullptr if none was named.
void describe_lease(Tables& tables, const Batch& batch, const lockmgr::Lease& lease,
                    const lockmgr::LockName* lock, Error& error);

}  // namespace fencegate::storage
