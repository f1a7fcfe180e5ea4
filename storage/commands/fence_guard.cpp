#include "storage/commands/fence_guard.hpp"

#include "storage/unit/views.hpp"

namespace fencegate::storage {
namespace {

using lockmgr::FenceVerdict;
using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;
using lockmgr::PresentedToken;
using lockmgr::TokenFault;

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
            return "This store never issued the token, or its record is no longer kept. Nothing "
                   "was changed.";
        case FenceVerdict::LockMismatch:
            return "The lease is live but does not hold the lock that this write needs, or not "
                   "exclusively.";
        case FenceVerdict::NotHolder: return "The token belongs to another principal.";
    }
    return "";
}

Answer refuse(Tables& tables, const Batch& batch, FenceVerdict verdict, FencingToken token,
              const LockName* lock, const std::optional<Lease>& lease) {
    Error error{lockmgr::refusal_code(verdict), std::string(detail_of(verdict)), {}, -1};
    if (lock != nullptr) error.members.push_back({"lock", lock->value()});
    error.members.push_back({"presented_token", token.value()});
    if (lease && verdict != FenceVerdict::NotHolder)
        describe_lease(tables, batch, *lease, lock, error);
    return refusal(std::move(error));
}

Answer refuse_without_lease(TokenFault fault, const LockName* lock) {
    const bool is_absent = fault == TokenFault::Absent;
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

// Who holds the lock by now that the lease was asked about; of a lease over several of which none
// was named, the first that is held.
std::optional<FencingToken> current_token(const Tables& tables, const Lease& lease,
                                          const LockName* lock) {
    for (const auto& covered : lease.locks) {
        const bool is_meant = lock == nullptr || !lease.covers(*lock) || covered == *lock;
        const auto* holding = tables.live.holdings().find(covered);
        if (is_meant && holding != nullptr) return holding->tokens.back();
    }
    return std::nullopt;
}

std::string joined(const std::vector<LockName>& locks) {
    std::string text;
    for (const auto& lock : locks) text.append(text.empty() ? "" : ", ").append(lock.value());
    return text;
}

// The first of a lease in full; of the rest how many they were.
void keep(RefusalRows& refusals, FencingToken token, const RefusedWrite& refused) {
    const auto number = refusals.count_up(token);
    if (number <= kRefusalsKept) refusals.insert(token, number, refused);
}

void put_on_record(Tables& tables, Batch& batch, const Command& command, FenceVerdict verdict,
                   const Lease& lease, const LockName& lock) {
    const auto code = lockmgr::refusal_code(verdict);
    const auto holder = holder_of(tables, lock, batch.now);
    const auto late = lease.state == LeaseState::Live
                          ? Duration(0)
                          : Duration(ms_between(lease.ended_since, batch.now));
    std::optional<FencingToken> current_token;
    if (holder) current_token = holder->lease.token;
    if (batch.keeps_record)
        keep(tables.refusals, lease.token,
             {.at = batch.wall,
              .principal = command.principal,
              .code = std::string(code_name(code)),
              .route = std::string(command.route),
              .request_id = command.request_id,
              .late_ms = late.count(),
              .current_token = current_token,
              .current_owner = holder ? holder->lease.owner : ""});
    batch.notices.push_back({.kind = LockNotice::Kind::Refused,
                             .at = batch.wall,
                             .locks = {lock},
                             .token = lease.token,
                             .principal = command.principal,
                             .owner = lease.principal == command.principal ? lease.owner : "",
                             .refusal = code,
                             .current_token = current_token,
                             .late = late});
}

}  // namespace

void describe_lease(Tables& tables, const Batch& batch, const Lease& lease, const LockName* lock,
                    Error& error) {
    error.members.push_back({"lease_lock", joined(lease.locks)});
    if (lease.claim.mode != lockmgr::LockMode::Exclusive)
        error.members.push_back({"lease_mode", std::string(lock_mode_name(lease.claim.mode))});
    if (lease.state == LeaseState::Live) return;
    error.members.push_back({"ended", std::string(lease_state_name(lease.state))});
    error.members.push_back({"ended_ms_ago", ms_between(lease.ended_since, batch.now)});
    if (const auto current = current_token(tables, lease, lock))
        error.members.push_back({"current_token", current->value()});
}

std::optional<Answer> refuse_by_fence(Tables& tables, Batch& batch,
                                      const lockmgr::LockClasses& classes, const Command& command,
                                      const PresentedToken& token, const LockName* lock,
                                      std::string* owner) {
    FenceEvent event{lock != nullptr ? classes.index_of(*lock) : classes.size() - 1,
                     FenceVerdict::Unknown};
    if (!token) {
        event.extra =
            token == lockmgr::kNoToken ? FenceEvent::Extra::Missing : FenceEvent::Extra::Malformed;
        batch.events.emplace_back(event);
        return refuse_without_lease(token.error(), lock);
    }
    auto lease = tables.leases.find(*token);
    if (lease && lock == nullptr) event.lock_class = classes.index_of(lease->locks.front());
    const bool accepts_late =
        lease &&
        (lock != nullptr ? classes.of(*lock) : classes.strictest(lease->locks)).accepts_late_writes;
    event.verdict = lockmgr::check_fence(lease, lock, command.principal, accepts_late);
    if (event.verdict == FenceVerdict::Accepted) {  // for whoever sets TTLs, nothing asks it here
        event.token = lease->token;
        event.share_left = share_left(tables, *lease, batch.now);
    }
    if (lease) event.ttl = lease->ttl;
    if (lease && lease->state != LeaseState::Live)
        event.stale_for = Duration(ms_between(lease->ended_since, batch.now));
    batch.events.emplace_back(event);
    if (lockmgr::is_accepted(event.verdict)) {
        if (owner != nullptr) *owner = std::move(lease->owner);
        return std::nullopt;
    }
    if (lease)
        put_on_record(tables, batch, command, event.verdict, *lease,
                      lock != nullptr ? *lock : lease->locks.front());
    return refuse(tables, batch, event.verdict, *token, lock, lease);
}

}  // namespace fencegate::storage
