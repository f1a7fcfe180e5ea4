#pragma once
// How a grant is written: the next token, and the lease as the newest of each of its locks.
// Promises served: 3 (tokens only rise); what expired before is superseded by the grant.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/batch.hpp"

#include <optional>

namespace fencegate::storage {

// Raises the counter. nullopt: the store does not answer, or all tokens were issued; then the
// counter's own constraint refuses the command.
[[nodiscard]] std::optional<lockmgr::FencingToken> issue_token(LeaseRows& leases);

// A lease that expired on one of the locks before is superseded. False, and nothing was written:
// the rows say that one of them is held, whatever the rules believe.
[[nodiscard]] bool write_grant(LeaseRows& leases, const lockmgr::Lease& lease);

}  // namespace fencegate::storage
