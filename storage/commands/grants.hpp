#pragma once
// How leases begin and end: in their rows, in what stands beside the rows, and in what is told.
// Asks lockmgr's rules, does what they say. Promises served: 1 (install before reveal), 3 (tokens
// only rise), 7 (expiry is an event here).
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

// The lease with this id, nullptr if there is none.
[[nodiscard]] const lockmgr::Lease* find_by_id(Unit& unit, const Uuid& id);

// The lock of an acquire that the rules allow, under the next token. Refused where the rows say
// that it is held, whatever the rules believe.
[[nodiscard]] Answer grant(Unit& unit, const Command& command, Duration ttl, Seconds waited);

// The lease as the newest of each of its locks; one that expired before is superseded. The rules
// have decided from memory that it fits, and the rows are asked too. False: they say that a lock of
// it is held, and nothing was changed.
[[nodiscard]] bool write_grant(LeaseTable& leases, const lockmgr::Lease& lease);

// Ends a live lease; who waits for its locks can be served then. `lease` may be the row itself.
void end_lease(Unit& unit, const lockmgr::Lease& lease, lockmgr::LeaseEnding ending,
               Seconds expiry_lag = {}, std::string reason = {});

// After a restart: arms every live lease of the rows with its full TTL. False: the rows contradict
// each other, two leases hold what only one can.
[[nodiscard]] bool arm_all(Standing& standing, std::span<const lockmgr::Lease> live, BootTime now);

// Counts how an acquire went, once for each lock.
void note(Unit& unit, const std::vector<lockmgr::LockName>& locks, AcquireEvent::Outcome outcome,
          Seconds waited = {});
[[nodiscard]] Answer deny(Unit& unit, const std::vector<lockmgr::LockName>& locks, Error error);

// Where the rows say one thing of a lock and what stands beside them another: counted, and told.
[[nodiscard]] Answer contradicted(Unit& unit, std::string_view rows, std::string_view memory);

[[nodiscard]] LockNotice notice_of(const Unit& unit, LockNotice::Kind kind,
                                   const lockmgr::Lease& lease);

[[nodiscard]] inline Error over_quota(std::string_view what) {
    return {ErrorCode::QuotaExceeded,
            "This principal " + std::string(what) +
                " as many locks of this class as its quota allows. Release one first.",
            {},
            1'000};
}

}  // namespace fencegate::storage
