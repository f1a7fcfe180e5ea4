#pragma once
// Guards: which lock guards which row. A write to a payment, an election or a run needs the live
// grant of the lock named here, and nobody else may spell such a name (tests/tidy checks it): a
// write that was guarded by another lock than `verify` asks about would pass unseen.
// Thread rule: pure functions.

#include "lockmgr/lock_name.hpp"

#include <string>
#include <string_view>

namespace fencegate::lockmgr {

// REQUIRES of each: every part is_lock_segment(). Whoever reads a request has checked that.
[[nodiscard]] LockName payment_lock(std::string_view payment_id);
[[nodiscard]] LockName election_lock(std::string_view election);
[[nodiscard]] bool is_election_lock(const LockName& lock) noexcept;
[[nodiscard]] LockName run_lock(std::string_view job, std::string_view slot);

// What payment_lock() would be called, also of an id that is none: `verify` reads what may be
// damaged.
[[nodiscard]] std::string payment_lock_name(std::string_view payment_id);

// Every lock that guards a payment is in here, compared byte by byte: first <= name < end.
struct LockRange {
    std::string_view first;
    std::string_view end;
};
inline constexpr LockRange kPaymentLocks{.first = "payments/", .end = "payments0"};

}  // namespace fencegate::lockmgr
