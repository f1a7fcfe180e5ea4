// check_fence stands alone in its translation unit on purpose: the tests link a second gateway in
// which only this object is replaced, to show that the double refund comes back without it.
#include "lockmgr/fence_rule.hpp"

namespace fencegate::lockmgr {

FenceVerdict check_fence(const std::optional<Lease>& lease, const LockName* lock,
                         std::string_view principal, bool accepts_late_writes) noexcept {
    if (!lease) return FenceVerdict::Unknown;
    // Before anything is said about the lease: a token is good only from its holder's principal,
    // and nobody else learns how the lease is doing.
    if (lease->principal != principal) return FenceVerdict::NotHolder;
    const bool covers = lock == nullptr
                            ? lease->claim.mode != LockMode::Shared
                            : lease->claim.mode == LockMode::Exclusive && lease->covers(*lock);
    switch (lease->state) {
        case LeaseState::Live: return covers ? FenceVerdict::Accepted : FenceVerdict::LockMismatch;
        case LeaseState::Expired:
            return accepts_late_writes && covers ? FenceVerdict::AcceptedLate
                                                 : FenceVerdict::Expired;
        case LeaseState::Superseded: return FenceVerdict::Stale;
        case LeaseState::Released: return FenceVerdict::Released;
        case LeaseState::Broken: return FenceVerdict::Broken;
    }
    return FenceVerdict::Unknown;
}

}  // namespace fencegate::lockmgr
