#include "storage/commands/lock_commands.hpp"

#include "lockmgr/lease_rules.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/commands/grants.hpp"
#include "storage/commands/lines.hpp"
#include "storage/commands/purpose.hpp"
#include "storage/commands/replay.hpp"
#include "storage/unit/views.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {

using lockmgr::AcquireDecision;
using lockmgr::Fit;
using lockmgr::Lease;
using lockmgr::LeaseEnding;
using lockmgr::LeaseState;

namespace {

using Acquired = AcquireEvent::Outcome;

// Shared by two workers, a key would hand both the same token, and the fence could not tell them
// apart.
Error nameless() {
    return {ErrorCode::InvalidArgument,
            "An acquire with an Idempotency-Key must name its owner: the key belongs to the one "
            "worker that acquires. Send \"owner\".",
            {},
            -1};
}

// The refusal to renew or release; tells the holder how its lease ended.
Answer not_own(Unit& unit, const Lease* lease, Error error, LateReturnEvent::What what) {
    const bool is_gone =
        error.code != ErrorCode::LeaseNotFound && error.code != ErrorCode::FenceNotHolder;
    const bool ran_out = error.code == ErrorCode::GoneExpired || error.code == ErrorCode::GoneStale;
    if (ran_out) {
        const Seconds late = Duration(ms_between(lease->ended_since, unit.now));
        for (const auto& lock : lease->locks)
            unit.events.emplace_back(
                LateReturnEvent{unit.classes.index_of(lock), what, late, lease->ttl});
    }
    if (is_gone) describe_lease(unit, *lease, /*lock=*/nullptr, error);
    return refusal(std::move(error));
}

}  // namespace

std::optional<Answer> carry_out(Unit& unit, const Request& request, const AcquireLock& acquire) {
    const auto& command = request.command;
    if (acquire.idempotency) {
        if (auto again = replay(unit, command, *acquire.idempotency)) return again;
        if (acquire.owner.empty()) return deny(unit, acquire.locks, nameless());
    }
    auto place = take_up_place(unit, acquire.idempotency);
    if (auto refused = refuse_purpose(unit, acquire)) return refused;
    const auto klass = unit.classes.strictest(acquire.locks);
    const auto ttl = lockmgr::decide_ttl(acquire.ttl, klass);
    if (!ttl) return deny(unit, acquire.locks, ttl.error());
    const auto fit = unit.live.fit(acquire.locks, acquire.claim);
    if (fit == Fit::OtherKind)
        return deny(unit, acquire.locks,
                    {ErrorCode::LockModeConflict,
                     "The lock is in use as another kind: as a lock, as a semaphore, or as a "
                     "semaphore of another number of permits. All its users must agree.",
                     {},
                     -1});
    const auto id = place ? place->id : unit.waiting.next_id();
    const bool somebody_waits = !unit.live.waiters().is_first(acquire.locks, id);
    switch (lockmgr::decide_acquire(fit == Fit::Fits, somebody_waits, acquire.wait)) {
        case AcquireDecision::Grant:
            if (!unit.live.usage().may_hold(command.principal, acquire.locks))
                return deny(unit, acquire.locks, over_quota("holds"));
            return grant(unit, command, *ttl, place ? unit.now - place->since : Duration(0));
        case AcquireDecision::Wait: return wait(unit, request, *ttl, klass, place);
        case AcquireDecision::Refuse: break;
    }
    note(unit, acquire.locks, Acquired::Contended);
    return place ? step_away(unit, *std::move(place)) : held(unit, acquire.locks);
}

Answer carry_out(Unit& unit, const Command& command, const RenewLease& renew) {
    const auto* lease = find_by_id(unit, renew.lease_id);
    std::optional<Lease> unrecorded;
    // What has run out is not renewed, although other work or a full disk has kept its end waiting.
    if (lease != nullptr && lease->state == LeaseState::Live && is_over(unit, lease->token)) {
        if (unit.keeps_record) {
            const auto deadline = *unit.live.expiries().deadline_of(lease->token);
            end_lease(unit, *lease, LeaseEnding::Expired, unit.now - deadline);
        } else {
            unrecorded = as_told(unit, *lease);
            lease = &*unrecorded;
        }
    }
    if (auto own = lockmgr::check_own_lease(lease, command.principal); !own)
        return not_own(unit, lease, own.error(), LateReturnEvent::What::Renewal);
    const auto klass = unit.classes.strictest(lease->locks);
    // Who asks for nothing keeps what it has, even if the class has narrowed since.
    const auto ttl =
        renew.ttl ? lockmgr::decide_ttl(renew.ttl, klass) : Result<Duration>(lease->ttl);
    if (!ttl) return refusal(ttl.error());
    const auto deadline = unit.live.expiries().deadline_of(lease->token);
    const auto known = unit.live.renewals_of(lease->token);
    const auto decision = lockmgr::decide_renewal({.now = unit.now,
                                                   .deadline = deadline.value_or(unit.now),
                                                   .ttl = *ttl,
                                                   .progress = renew.progress},
                                                  known, klass);
    if (!decision) return refusal(decision.error());
    const auto left = share_left(unit, *lease);
    const Seconds ttl_before = lease->ttl;
    // Only a changed TTL needs the disk: deadlines are not stored, a restart grants full TTLs.
    if (*ttl != lease->ttl) unit.leases.set_ttl(lease->token, *ttl);
    unit.live.arm(lease->token, decision->deadline);
    if (decision->renewals != known) unit.live.set_renewals(lease->token, decision->renewals);
    for (const auto& lock : lease->locks)
        unit.events.emplace_back(RenewEvent{unit.classes.index_of(lock), left, ttl_before});
    unit.notices.push_back(notice_of(unit, LockNotice::Kind::Renewed, *lease));

    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.fencing_token = lease->token;
    answer.body = renewed_document(view_of(unit, *lease), *decision);
    return answer;
}

Answer carry_out(Unit& unit, const Command& command, const ReleaseLease& release) {
    const auto* lease = find_by_id(unit, release.lease_id);
    Answer answer;
    answer.resource_id = to_string(release.lease_id);
    if (auto own = lockmgr::check_own_lease(lease, command.principal); !own) {
        // Nothing is left to do, and nothing has gone wrong: the first reply was lost.
        answer.is_replayed = own.error().code == ErrorCode::GoneReleased;
        if (answer.is_replayed) return answer;
        return not_own(unit, lease, own.error(), LateReturnEvent::What::Release);
    }
    end_lease(unit, *lease, LeaseEnding::Released);
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const BreakLock& broken) {
    const auto* holding = unit.live.holdings().find(broken.lock);
    if (holding == nullptr)
        return refusal(
            {ErrorCode::LockNotHeld, "Nobody holds the lock; nothing to break.", {}, -1});
    const auto seen = std::ranges::find(holding->tokens, broken.seen_token);
    if (seen == holding->tokens.end())
        return refusal({ErrorCode::FenceStale,
                        "The lock is held under another token than the one you saw. Read it again "
                        "before breaking it.",
                        {{"current_token", holding->tokens.back().value()}},
                        -1});
    const auto* lease = unit.leases.find(*seen);
    if (lease == nullptr) return contradicted(unit, "is free", "is held");
    end_lease(unit, *lease, LeaseEnding::Broken, Seconds(0), broken.reason);
    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.body = lease_document({.lease = *lease});
    return answer;
}

}  // namespace fencegate::storage
