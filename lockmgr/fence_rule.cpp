#include "lockmgr/fence_rule.hpp"

#include "base/check.hpp"

namespace fencegate::lockmgr {

bool is_accepted(FenceVerdict verdict) noexcept {
    return verdict == FenceVerdict::Accepted || verdict == FenceVerdict::AcceptedLate;
}

ErrorCode refusal_code(FenceVerdict verdict) noexcept {
    switch (verdict) {
        case FenceVerdict::Accepted:
        case FenceVerdict::AcceptedLate: break;
        case FenceVerdict::Stale: return ErrorCode::FenceStale;
        case FenceVerdict::Expired: return ErrorCode::FenceExpired;
        case FenceVerdict::Released: return ErrorCode::FenceReleased;
        case FenceVerdict::Broken: return ErrorCode::FenceBroken;
        case FenceVerdict::Unknown: return ErrorCode::FenceTokenUnknown;
        case FenceVerdict::LockMismatch: return ErrorCode::FenceLockMismatch;
        case FenceVerdict::NotHolder: return ErrorCode::FenceNotHolder;
    }
    FG_CHECK(!is_accepted(verdict));
    return ErrorCode::Internal;
}

}  // namespace fencegate::lockmgr
