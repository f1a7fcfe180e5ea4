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

Answer refuse(Unit& unit, FenceVerdict verdict, FencingToken token, const LockName* lock,
              const Lease* lease) {
    Error error{lockmgr::refusal_code(verdict), std::string(detail_of(verdict)), {}, -1};
    if (lock != nullptr) error.members.push_back({"lock", lock->value()});
    error.members.push_back({"presented_token", token.value()});
    if (lease != nullptr && verdict != FenceVerdict::NotHolder)
        describe_lease(unit, *lease, lock, error);
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
std::optional<FencingToken> current_token(const Unit& unit, const Lease& lease,
                                          const LockName* lock) {
    for (const auto& covered : lease.locks) {
        const bool is_meant = lock == nullptr || !lease.covers(*lock) || covered == *lock;
        const auto* holding = unit.live.holdings().find(covered);
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
void keep(LeaseTable& leases, FencingToken token, RefusedWrite refused) {
    const auto number = leases.count_refusal(token);
    if (number <= kRefusalsKept) leases.insert_refusal(token, number, std::move(refused));
}

void put_on_record(Unit& unit, const Command& command, FenceVerdict verdict, const Lease& lease,
                   const LockName& lock) {
    const auto code = lockmgr::refusal_code(verdict);
    const auto holder = holder_of(unit, lock);
    const auto late = lease.state == LeaseState::Live
                          ? Duration(0)
                          : Duration(ms_between(lease.ended_since, unit.now));
    std::optional<FencingToken> current_token;
    if (holder) current_token = holder->lease.token;
    if (unit.keeps_record)
        keep(unit.leases, lease.token,
             {.at = unit.wall,
              .principal = command.principal,
              .code = std::string(code_name(code)),
              .route = std::string(command.route),
              .request_id = command.request_id,
              .late_ms = late.count(),
              .current_token = current_token,
              .current_owner = holder ? holder->lease.owner : ""});
    unit.notices.push_back({.kind = LockNotice::Kind::Refused,
                            .at = unit.wall,
                            .locks = {lock},
                            .token = lease.token,
                            .principal = command.principal,
                            .owner = lease.principal == command.principal ? lease.owner : "",
                            .refusal = code,
                            .current_token = current_token,
                            .late = late});
}

}  // namespace

void describe_lease(Unit& unit, const Lease& lease, const LockName* lock, Error& error) {
    error.members.push_back({"lease_lock", joined(lease.locks)});
    if (lease.claim.mode != lockmgr::LockMode::Exclusive)
        error.members.push_back({"lease_mode", std::string(lock_mode_name(lease.claim.mode))});
    if (lease.state == LeaseState::Live) return;
    error.members.push_back({"ended", std::string(lease_state_name(lease.state))});
    error.members.push_back({"ended_ms_ago", ms_between(lease.ended_since, unit.now)});
    if (const auto current = current_token(unit, lease, lock))
        error.members.push_back({"current_token", current->value()});
}

std::expected<const Lease*, Answer> pass_fence(Unit& unit, const Command& command,
                                               const PresentedToken& token, const LockName* lock) {
    FenceEvent event{lock != nullptr ? unit.classes.index_of(*lock) : unit.classes.size() - 1,
                     FenceVerdict::Unknown};
    if (!token) {
        event.extra =
            token == lockmgr::kNoToken ? FenceEvent::Extra::Missing : FenceEvent::Extra::Malformed;
        unit.events.emplace_back(event);
        return std::unexpected(refuse_without_lease(token.error(), lock));
    }
    const auto* lease = unit.leases.find(*token);
    const auto& classes = unit.classes;
    if (lease != nullptr && lock == nullptr)
        event.lock_class = classes.index_of(lease->locks.front());
    const bool accepts_late =
        lease != nullptr &&
        (lock != nullptr ? classes.of(*lock) : classes.strictest(lease->locks)).accepts_late_writes;
    event.verdict = lockmgr::check_fence(lease, lock, command.principal, accepts_late);
    if (event.verdict == FenceVerdict::Accepted) {  // for whoever sets TTLs, nothing asks it here
        event.token = lease->token;
        event.share_left = share_left(unit, *lease);
    }
    if (lease != nullptr) event.ttl = lease->ttl;
    if (lease != nullptr && lease->state != LeaseState::Live)
        event.stale_for = Duration(ms_between(lease->ended_since, unit.now));
    unit.events.emplace_back(event);
    if (lockmgr::is_accepted(event.verdict)) return lease;
    if (lease != nullptr)
        put_on_record(unit, command, event.verdict, *lease,
                      lock != nullptr ? *lock : lease->locks.front());
    return std::unexpected(refuse(unit, event.verdict, *token, lock, lease));
}

}  // namespace fencegate::storage
