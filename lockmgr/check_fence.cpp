// check_fence stands alone in its translation unit on purpose: the tests link a second gateway in
// which only this object is replaced, to show that the double refund comes back without it.
#include "lockmgr/fence_rule.hpp"

namespace fencegate::lockmgr {

FenceVerdict check_fence(const Lease* lease, const LockName* lock, std::string_view principal,
                         bool accepts_late_writes) noexcept {
    if (lease == nullptr) return FenceVerdict::Unknown;
    // Before anything is said about the lease: a token is good only from its holder's principal,
    // and nobody else learns how the lease is doing.
    if (lease->principal != principal) return FenceVerdict::NotHolder;
    // Only of an exclusive lease does its state tell whether somebody was granted since: the permit
    // of a semaphore may have gone to a third while the newest lease is a second's.
    const bool is_exclusive = lease->claim.mode == LockMode::Exclusive;
    const bool covers = lock == nullptr ? lease->claim.mode != LockMode::Shared
                                        : is_exclusive && lease->covers(*lock);
    switch (lease->state) {
        case LeaseState::Live: return covers ? FenceVerdict::Accepted : FenceVerdict::LockMismatch;
        case LeaseState::Expired:
            return accepts_late_writes && covers && is_exclusive ? FenceVerdict::AcceptedLate
                                                                 : FenceVerdict::Expired;
        case LeaseState::Superseded: return FenceVerdict::Stale;
        case LeaseState::Released: return FenceVerdict::Released;
        case LeaseState::Broken: return FenceVerdict::Broken;
    }
    return FenceVerdict::Unknown;
}

}  // namespace fencegate::lockmgr
