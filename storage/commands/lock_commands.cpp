#include "storage/commands/lock_commands.hpp"

#include "base/check.hpp"
#include "lockmgr/lease_rules.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/commands/grant_rows.hpp"
#include "storage/commands/purpose.hpp"
#include "storage/commands/replay.hpp"
#include "storage/unit/views.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {

using lockmgr::AcquireDecision;
using lockmgr::Fit;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

namespace {

using Acquired = AcquireEvent::Outcome;

LeaseEndEvent::How how_of(LeaseState state) {
    if (state == LeaseState::Expired) return LeaseEndEvent::How::Expired;
    if (state == LeaseState::Broken) return LeaseEndEvent::How::Broken;
    return LeaseEndEvent::How::Released;
}

LockNotice::Kind kind_of(LeaseState state) {
    if (state == LeaseState::Expired) return LockNotice::Kind::Expired;
    if (state == LeaseState::Broken) return LockNotice::Kind::Broken;
    return LockNotice::Kind::Released;
}

LockNotice notice_of(LockNotice::Kind kind, const Lease& lease, const Batch& batch) {
    return {.kind = kind,
            .at = batch.wall,
            .locks = lease.locks,
            .token = lease.token,
            .principal = lease.principal,
            .owner = lease.owner,
            .ttl = lease.ttl};
}

// Of a lease that ran out, up to its deadline: how late that was noticed is a figure of its own.
// TTLs lie on the bounds of the histogram's buckets, so what is a hair above, because its deadline
// counts from the end of a commit or because rows count whole milliseconds, would be told as up to
// two and a half times the TTL.
Seconds time_held(const Lease& lease, LeaseState how, const Batch& batch, Seconds expiry_lag) {
    constexpr Seconds kRounding{.002};
    constexpr Seconds kCommit{.1};
    const Seconds held = batch.now - lease.held_since - expiry_lag;
    const Seconds ttl = lease.ttl;
    const bool is_whole_ttl =
        how == LeaseState::Expired && held >= ttl - kRounding && held <= ttl + kCommit;
    return is_whole_ttl ? ttl : std::max(held, Seconds(0));
}

// Nothing of the grant was written.
Error contradicted(Batch& batch) {
    ++batch.contradictions;
    return {ErrorCode::Internal,
            "The rows of the store say that the lock is held, and its memory that it is free. "
            "Nothing was granted. An operator should run `fencegate verify`.",
            {},
            -1};
}

// Shared by two workers, a key would hand both the same token, and the fence could not tell them
// apart.
Error nameless() {
    return {ErrorCode::InvalidArgument,
            "An acquire with an Idempotency-Key must name its owner: the key belongs to the one "
            "worker that acquires. Send \"owner\".",
            {},
            -1};
}

}  // namespace

std::optional<Lease> find_by_id(Tables& tables, const Uuid& id) {
    const auto token = lockmgr::token_of_lease_id(id);
    if (!token) return std::nullopt;
    auto lease = tables.leases.find(*token);
    return lease && lease->id == id ? std::move(lease) : std::nullopt;
}

LockCommands::LockCommands(Tables& tables, const lockmgr::LockClasses& classes, Random& random)
    : tables_(tables), classes_(classes), random_(random) {}

std::optional<Answer> LockCommands::acquire(Batch& batch, const Request& request) {
    const auto& command = request.command;
    const auto& acquire = std::get<AcquireLock>(command.operation);
    if (acquire.idempotency) {
        if (auto again = replay(tables_, batch, command, *acquire.idempotency)) return again;
        if (acquire.owner.empty()) return deny(batch, acquire.locks, nameless());
    }
    auto place = take_up_place(batch, acquire.idempotency);
    if (auto refused = refuse_purpose(tables_, batch, acquire)) return refused;
    const auto klass = classes_.strictest(acquire.locks);
    const auto ttl = lockmgr::decide_ttl(acquire.ttl, klass);
    if (!ttl) return deny(batch, acquire.locks, ttl.error());
    const auto fit = tables_.live.fit(acquire.locks, acquire.claim);
    if (fit == Fit::OtherKind)
        return deny(batch, acquire.locks,
                    {ErrorCode::LockModeConflict,
                     "The lock is in use as another kind: as a lock, as a semaphore, or as a "
                     "semaphore of another number of permits. All its users must agree.",
                     {},
                     -1});
    const auto id = place ? place->id : lockmgr::WaiterId(last_waiter_ + 1);
    const bool somebody_waits = !tables_.live.waiters().is_first(acquire.locks, id);
    switch (lockmgr::decide_acquire(fit == Fit::Fits, somebody_waits, acquire.wait)) {
        case AcquireDecision::Grant:
            if (!tables_.live.usage().may_hold(command.principal, acquire.locks))
                return deny(batch, acquire.locks, over_quota("holds"));
            return grant(batch, command, *ttl, place ? batch.now - place->since : Duration(0));
        case AcquireDecision::Wait: return wait(batch, request, *ttl, klass, place);
        case AcquireDecision::Refuse: break;
    }
    note(batch, acquire.locks, Acquired::Contended);
    return place ? step_away(batch, *std::move(place)) : held(batch, acquire.locks);
}

Answer LockCommands::grant(Batch& batch, const Command& command, Duration ttl, Seconds waited) {
    const auto& acquire = std::get<AcquireLock>(command.operation);
    const auto token = issue_token(tables_.leases);
    if (!token) return refusal(poisoned());
    auto lease = install(batch, command, ttl, *token);
    if (!lease) return refusal(contradicted(batch));
    if (acquire.idempotency) remember_grant(tables_, batch, command, *acquire.idempotency, *lease);
    note(batch, acquire.locks, Acquired::Granted, waited);
    batch.notices.push_back(notice_of(LockNotice::Kind::Granted, *lease, batch));
    fulfil_purpose(tables_, batch, acquire, *lease);

    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.fencing_token = *token;
    answer.body = lease_document(view_of(tables_, *std::move(lease), batch.now));
    return answer;
}

std::optional<Lease> LockCommands::install(const Batch& batch, const Command& command, Duration ttl,
                                           lockmgr::FencingToken token) {
    const auto& acquire = std::get<AcquireLock>(command.operation);
    Lease lease{.token = token,
                .id = lockmgr::make_lease_id(batch.wall, token, random_),
                .locks = acquire.locks,
                .claim = acquire.claim,
                .principal = command.principal,
                .owner = acquire.owner,
                .ttl = ttl,
                .metadata_json = acquire.metadata_json,
                .granted_at = batch.wall,
                .held_since = batch.now};
    if (!write_grant(tables_.leases, lease)) return std::nullopt;
    const auto klass = classes_.strictest(lease.locks);
    const auto renewals = lockmgr::renewals_at_grant(klass, batch.now);
    tables_.live.grant(lease, lockmgr::cap_deadline(batch.now + ttl, renewals, klass));
    if (renewals) tables_.live.set_renewals(token, renewals);
    return lease;
}

void LockCommands::end(Batch& batch, const Lease& lease, LeaseState how, Seconds expiry_lag,
                       std::string reason) {
    const auto deadline = tables_.live.expiries().deadline_of(lease.token);
    const Seconds remaining = Duration(deadline ? ms_between(batch.now, *deadline) : 0);
    tables_.leases.end(lease.token, how, {batch.wall, batch.hour, batch.now});
    tables_.live.end(lease);
    const auto held_for = time_held(lease, how, batch, expiry_lag);
    for (const auto& lock : lease.locks) {
        const auto lock_class = classes_.index_of(lock);
        const auto delay = classes_[lock_class].lock_delay;
        if (how == LeaseState::Expired && delay > Duration::zero())
            tables_.live.rest(lock, batch.now + delay);
        batch.events.emplace_back(LeaseEndEvent{.lock_class = lock_class,
                                                .how = how_of(how),
                                                .token = lease.token,
                                                .held = held_for,
                                                .ttl = lease.ttl,
                                                .remaining = remaining,
                                                .expiry_lag = expiry_lag});
        batch.freed.push_back(lock);
    }
    auto notice = notice_of(kind_of(how), lease, batch);
    notice.text = std::move(reason);
    batch.notices.push_back(std::move(notice));
}

Answer LockCommands::not_own(Batch& batch, const std::optional<Lease>& lease, Error error,
                             LateReturnEvent::What what) {
    const bool is_gone =
        error.code != ErrorCode::LeaseNotFound && error.code != ErrorCode::FenceNotHolder;
    const bool ran_out = error.code == ErrorCode::GoneExpired || error.code == ErrorCode::GoneStale;
    if (ran_out) {
        const Seconds late = Duration(ms_between(lease->ended_since, batch.now));
        for (const auto& lock : lease->locks)
            batch.events.emplace_back(
                LateReturnEvent{classes_.index_of(lock), what, late, lease->ttl});
    }
    if (is_gone) describe_lease(tables_, batch, *lease, /*lock=*/nullptr, error);
    return refusal(std::move(error));
}

// What has run out is not renewed, although other work or a full disk has kept its end waiting.
void LockCommands::end_if_over(Batch& batch, Lease& lease) {
    if (lease.state != LeaseState::Live || !is_over(tables_, batch, lease.token)) return;
    const auto deadline = *tables_.live.expiries().deadline_of(lease.token);
    if (batch.keeps_record) end(batch, lease, LeaseState::Expired, batch.now - deadline);
    lease.state = LeaseState::Expired;
    lease.ended_at = batch.wall;
    lease.ended_since = batch.now;
}

Answer LockCommands::renew(Batch& batch, const Command& command, const RenewLease& renew) {
    auto lease = find_by_id(tables_, renew.lease_id);
    if (lease) end_if_over(batch, *lease);
    if (auto own = lockmgr::check_own_lease(lease, command.principal); !own)
        return not_own(batch, lease, own.error(), LateReturnEvent::What::Renewal);
    const auto klass = classes_.strictest(lease->locks);
    // Who asks for nothing keeps what it has, even if the class has narrowed since.
    const auto ttl =
        renew.ttl ? lockmgr::decide_ttl(renew.ttl, klass) : Result<Duration>(lease->ttl);
    if (!ttl) return refusal(ttl.error());
    const auto deadline = tables_.live.expiries().deadline_of(lease->token);
    const auto known = tables_.live.renewals_of(lease->token);
    const auto decision = lockmgr::decide_renewal({.now = batch.now,
                                                   .deadline = deadline.value_or(batch.now),
                                                   .ttl = *ttl,
                                                   .progress = renew.progress},
                                                  known, klass);
    if (!decision) return refusal(decision.error());
    // Only a changed TTL needs the disk: deadlines are not stored, a restart grants full TTLs.
    if (*ttl != lease->ttl) tables_.leases.set_ttl(lease->token, *ttl);
    const auto left = share_left(tables_, *lease, batch.now);
    const Seconds ttl_before = std::exchange(lease->ttl, *ttl);
    tables_.live.arm(lease->token, decision->deadline);
    if (decision->renewals != known) tables_.live.set_renewals(lease->token, decision->renewals);
    for (const auto& lock : lease->locks)
        batch.events.emplace_back(RenewEvent{classes_.index_of(lock), left, ttl_before});
    batch.notices.push_back(notice_of(LockNotice::Kind::Renewed, *lease, batch));

    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.fencing_token = lease->token;
    answer.body = renewed_document(view_of(tables_, *std::move(lease), batch.now), *decision);
    return answer;
}

Answer LockCommands::release(Batch& batch, const Command& command, const ReleaseLease& release) {
    const auto lease = find_by_id(tables_, release.lease_id);
    Answer answer;
    answer.resource_id = to_string(release.lease_id);
    if (auto own = lockmgr::check_own_lease(lease, command.principal); !own) {
        // Nothing is left to do, and nothing has gone wrong: the first reply was lost.
        answer.is_replayed = own.error().code == ErrorCode::GoneReleased;
        if (answer.is_replayed) return answer;
        return not_own(batch, lease, own.error(), LateReturnEvent::What::Release);
    }
    end(batch, *lease, LeaseState::Released);
    return answer;
}

Answer LockCommands::break_lock(Batch& batch, const BreakLock& broken) {
    const auto* holding = tables_.live.holdings().find(broken.lock);
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
    auto lease = tables_.leases.find(*seen);
    if (!lease) return refusal(poisoned());
    tables_.leases.note_break_reason(lease->token, broken.reason);
    end(batch, *lease, LeaseState::Broken, Seconds(0), broken.reason);
    lease->state = LeaseState::Broken;
    lease->ended_at = batch.wall;
    lease->ended_since = batch.now;
    Answer answer;
    answer.resource_id = to_string(lease->id);
    answer.body = lease_document({.lease = *std::move(lease)});
    return answer;
}

void LockCommands::note(Batch& batch, const std::vector<LockName>& locks,
                        AcquireEvent::Outcome outcome, Seconds waited) {
    const bool is_contended =
        outcome != Acquired::Denied && (outcome != Acquired::Granted || waited > Seconds(0));
    for (const auto& lock : locks) {
        batch.events.emplace_back(AcquireEvent{classes_.index_of(lock), outcome, waited});
        if (is_contended) batch.contentions.push_back({lock, waited});
    }
}

Answer LockCommands::deny(Batch& batch, const std::vector<LockName>& locks, Error error) {
    note(batch, locks, Acquired::Denied);
    return refusal(std::move(error));
}

bool LockCommands::arm_all(std::span<const Lease> live, BootTime now) {
    for (const auto& lease : live) {
        if (tables_.live.fit(lease.locks, lease.claim) != Fit::Fits) return false;
        const auto klass = classes_.strictest(lease.locks);
        const auto renewals = lockmgr::renewals_at_grant(klass, now);
        tables_.live.grant(lease, lockmgr::cap_deadline(now + lease.ttl, renewals, klass));
        if (renewals) tables_.live.set_renewals(lease.token, renewals);
        tables_.live.commit();
    }
    return true;
}

}  // namespace fencegate::storage
