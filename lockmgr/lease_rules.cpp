#include "lockmgr/lease_rules.hpp"

namespace fencegate::lockmgr {

Result<Duration> decide_ttl(std::optional<Duration> asked, const LockClass& klass) {
    const auto ttl = asked.value_or(klass.ttl_default);
    if (ttl < klass.ttl_min || ttl > klass.ttl_max) {
        return fail(ErrorCode::InvalidArgument,
                    "ttl_ms must be between " + std::to_string(klass.ttl_min.count()) + " and " +
                        std::to_string(klass.ttl_max.count()) + " for locks of class \"" +
                        klass.name + "\".");
    }
    return ttl;
}

AcquireDecision decide_acquire(bool fits, bool somebody_waits, Duration wait) noexcept {
    if (fits && !somebody_waits) return AcquireDecision::Grant;
    return wait > Duration::zero() ? AcquireDecision::Wait : AcquireDecision::Refuse;
}

Result<> check_own_lease(const Lease* lease, std::string_view principal) {
    if (lease == nullptr) return fail(ErrorCode::LeaseNotFound, "No lease has this id.");
    if (lease->principal != principal)
        return fail(ErrorCode::FenceNotHolder, "The lease belongs to another principal.");
    switch (lease->state) {
        case LeaseState::Live: return {};
        case LeaseState::Expired: return fail(ErrorCode::GoneExpired, "The lease ran out.");
        case LeaseState::Superseded:
            return fail(ErrorCode::GoneStale,
                        "The lease ran out and the lock was granted again since.");
        case LeaseState::Released:
            return fail(ErrorCode::GoneReleased, "The lease was released before.");
        case LeaseState::Broken:
            return fail(ErrorCode::GoneBroken, "An administrator broke the lease.");
    }
    return fail(ErrorCode::Internal, "unreachable lease state");
}

bool may_follow(LeaseState newest, LockMode newest_mode, LockMode asked) noexcept {
    const bool is_alone = newest_mode == LockMode::Exclusive || asked == LockMode::Exclusive;
    return newest != LeaseState::Live || !is_alone;
}

}  // namespace fencegate::lockmgr
