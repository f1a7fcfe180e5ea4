#include "storage/sqlite/fence_guard.hpp"

#include "storage/documents.hpp"

namespace fencegate::storage::sqlite {
namespace {

using lockmgr::FenceVerdict;
using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;
using lockmgr::PresentedToken;

constexpr const char* kRemedy =
    "Acquire the lock again, then repeat the call with the new token and the same "
    "Idempotency-Key.";

std::string_view detail_of(FenceVerdict verdict) {
    switch (verdict) {
        case FenceVerdict::Accepted:
        case FenceVerdict::AcceptedLate: return "The write was accepted.";
        case FenceVerdict::Stale:
            return "The lease ran out and the lock was granted to another holder since. Nothing "
                   "was changed.";
        case FenceVerdict::Expired:
            return "The lease ran out before this write. Nothing was changed.";
        case FenceVerdict::Released:
            return "The lease was released before this write. Nothing was changed.";
        case FenceVerdict::Broken:
            return "An administrator broke the lease before this write. Nothing was changed.";
        case FenceVerdict::Unknown:
            return "This store never issued the token. Nothing was changed.";
        case FenceVerdict::LockMismatch:
            return "The lease is live but covers another lock than this write needs.";
        case FenceVerdict::NotHolder: return "The token belongs to another principal.";
    }
    return "";
}

Answer refuse(Tables& tables, const Batch& batch, FenceVerdict verdict, const PresentedToken& token,
              const LockName* lock, const std::optional<Lease>& lease) {
    Error error{lockmgr::refusal_code(verdict), std::string(detail_of(verdict)), {}, -1};
    if (lock != nullptr) error.members.push_back({"lock", lock->value()});
    error.members.push_back({"presented_token", token.value});
    if (lease && verdict != FenceVerdict::NotHolder) describe_lease(tables, batch, *lease, error);
    error.members.push_back({"remedy", kRemedy});
    return refusal(std::move(error));
}

Answer refuse_without_lease(const PresentedToken& token, const LockName* lock) {
    const bool is_absent = token.kind == PresentedToken::Kind::Absent;
    Error error{is_absent ? ErrorCode::FenceTokenRequired : ErrorCode::FenceTokenMalformed,
                is_absent ? "This write is fenced. Acquire the lock and send its token in "
                            "X-Fence-Token."
                          : "X-Fence-Token must be sent once, as a decimal from 1 to 2^53-1 "
                            "without sign or leading zero.",
                {},
                -1};
    if (lock != nullptr) error.members.push_back({"lock", lock->value()});
    return refusal(std::move(error));
}

}  // namespace

void describe_lease(Tables& tables, const Batch& batch, const Lease& lease, Error& error) {
    error.members.push_back({"lease_lock", lease.lock.value()});
    if (lease.state == LeaseState::Live) return;
    error.members.push_back({"ended", std::string(lease_state_name(lease.state))});
    error.members.push_back(
        {"ended_ms_ago", std::max<std::int64_t>(0, (batch.wall - lease.ended_at).count())});
    if (const auto current = tables.leases.find_live(lease.lock))
        error.members.push_back({"current_token", current->token.value()});
}

std::optional<Answer> refuse_by_fence(Tables& tables, Batch& batch,
                                      const lockmgr::LockClasses& classes,
                                      std::string_view principal, const PresentedToken& token,
                                      const LockName* lock) {
    FenceEvent event{lock != nullptr ? classes.index_of(*lock) : classes.size() - 1,
                     FenceVerdict::Unknown};
    if (token.kind != PresentedToken::Kind::Present) {
        event.extra = token.kind == PresentedToken::Kind::Absent ? FenceEvent::Extra::Missing
                                                                 : FenceEvent::Extra::Malformed;
        batch.events.emplace_back(event);
        return refuse_without_lease(token, lock);
    }
    const auto lease = tables.leases.find(FencingToken(token.value));
    const bool accepts_late = lease && classes.of(lease->lock).accepts_late_writes;
    event.verdict = lockmgr::check_fence(lease, lock, principal, accepts_late);
    if (lease && lock == nullptr) event.lock_class = classes.index_of(lease->lock);
    if (lease && lease->state != LeaseState::Live)
        event.stale_for = std::max(batch.wall - lease->ended_at, WallTime::duration::zero());
    batch.events.emplace_back(event);
    if (lockmgr::is_accepted(event.verdict)) return std::nullopt;
    return refuse(tables, batch, event.verdict, token, lock, lease);
}

}  // namespace fencegate::storage::sqlite
