#include "storage/commands/grant_rows.hpp"

#include "lockmgr/lease_rules.hpp"

#include <cstddef>
#include <vector>

namespace fencegate::storage {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

namespace {

void write_lock(LeaseRows& leases, const Lease& lease, const LockName& lock,
                const ChainHead& newest) {
    if (newest.token && newest.state == LeaseState::Expired) leases.supersede(*newest.token);
    if (lock == lease.locks.front()) {
        leases.insert(lease, newest.token);
    } else {
        leases.insert_further(lease.token, lock, newest.token);
    }
    leases.set_head(lock, /*is_first=*/!newest.token, lease.token);
}

}  // namespace

std::optional<FencingToken> issue_token(LeaseRows& leases) {
    const auto before = leases.counter();
    if (!before) return std::nullopt;
    const auto counter = before->next();
    leases.set_counter(counter);
    if (counter.epoch > lockmgr::kTokenEpochMax) return std::nullopt;
    return FencingToken::compose(counter.epoch, counter.sequence);
}

// The rules have decided from memory that it fits. The rows are asked too: a grant beside a live
// exclusive lease must not be written whatever the rules believe.
bool write_grant(LeaseRows& leases, const Lease& lease) {
    std::vector<ChainHead> newest;
    newest.reserve(lease.locks.size());
    for (const auto& lock : lease.locks) {
        const auto& head = newest.emplace_back(leases.head(lock));
        if (head.token && !lockmgr::may_follow(head.state, head.mode, lease.claim.mode))
            return false;
    }
    for (std::size_t at = 0; at < newest.size(); ++at)
        write_lock(leases, lease, lease.locks[at], newest[at]);
    return true;
}

}  // namespace fencegate::storage
