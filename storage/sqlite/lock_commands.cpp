#include "storage/sqlite/lock_commands.hpp"

#include "base/check.hpp"
#include "lockmgr/lease_rules.hpp"
#include "storage/documents.hpp"
#include "storage/sqlite/fence_guard.hpp"
#include "storage/sqlite/replay.hpp"

namespace fencegate::storage::sqlite {

using lockmgr::AcquireDecision;
using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;
using lockmgr::WaiterId;

namespace {

using Acquired = AcquireEvent::Outcome;

LeaseEndEvent::How how_of(LeaseState state) {
    if (state == LeaseState::Expired) return LeaseEndEvent::How::Expired;
    if (state == LeaseState::Broken) return LeaseEndEvent::How::Broken;
    return LeaseEndEvent::How::Released;
}

std::optional<Lease> find_by_id(Tables& tables, const Uuid& id) {
    const auto token = lockmgr::token_of_lease_id(id);
    if (!token) return std::nullopt;
    return tables.leases.find(*token);
}

Error poisoned() { return {ErrorCode::Internal, "The store did not answer.", {}, -1}; }

}  // namespace

LockCommands::LockCommands(Tables& tables, const lockmgr::LockClasses& classes, Random& random)
    : tables_(tables), classes_(classes), random_(random) {}

std::optional<Answer> LockCommands::acquire(Batch& batch, const Request& request) {
    const auto& command = request.command;
    const auto& acquire = std::get<AcquireLock>(command.operation);
    if (acquire.idempotency) {
        if (auto again = replay(tables_, batch, command.principal, *acquire.idempotency))
            return again;
    }
    const auto ttl = lockmgr::decide_ttl(acquire.ttl, classes_.of(acquire.lock));
    if (!ttl) {
        note(batch, acquire.lock, Acquired::Denied);
        return refusal(ttl.error());
    }
    const auto ahead = tables_.live.waiters().waiting_for(acquire.lock);
    switch (lockmgr::decide_acquire(tables_.leases.is_held(acquire.lock), ahead, acquire.wait)) {
        case AcquireDecision::Grant: return grant(batch, command, *ttl, Seconds(0));
        case AcquireDecision::Wait: return wait(batch, request, *ttl);
        case AcquireDecision::Refuse: break;
    }
    note(batch, acquire.lock, Acquired::Contended);
    return held(batch, acquire.lock, ahead);
}

std::optional<Answer> LockCommands::wait(Batch& batch, const Request& request, Duration ttl) {
    const auto& acquire = std::get<AcquireLock>(request.command.operation);
    if (is_draining_)
        return refusal({ErrorCode::Draining, "The gateway is shutting down.", {}, 1'000});
    const WaiterId waiter(++last_waiter_);
    const bool is_queued = tables_.live.enqueue({.id = waiter,
                                                 .asker = request.ticket.value(),
                                                 .lock = acquire.lock,
                                                 .since = batch.now,
                                                 .deadline = batch.now + acquire.wait});
    if (!is_queued) {
        note(batch, acquire.lock, Acquired::QueueFull);
        return refusal({ErrorCode::QueueFull,
                        "Too many requests wait for a lock already. Retry later.",
                        {},
                        1'000});
    }
    tables_.room.add({request.ticket, waiter, request.home, request.command, ttl,
                      classes_.index_of(acquire.lock), batch.now});
    batch.enqueued.push_back(request.ticket);
    return std::nullopt;
}

Answer LockCommands::grant(Batch& batch, const Command& command, Duration ttl, Seconds waited) {
    const auto& acquire = std::get<AcquireLock>(command.operation);
    const auto token = tables_.leases.next_token();
    if (!token) return refusal(poisoned());
    tables_.leases.supersede_expired(acquire.lock);
    const Lease lease{.token = *token,
                      .id = lockmgr::make_lease_id(batch.wall, *token, random_),
                      .lock = acquire.lock,
                      .principal = command.principal,
                      .owner = acquire.owner,
                      .ttl = ttl,
                      .metadata_json = acquire.metadata_json,
                      .granted_at = batch.wall};
    tables_.leases.insert(lease);
    tables_.live.arm(*token, batch.now + ttl);
    if (acquire.idempotency) remember_grant(tables_, batch, command, *acquire.idempotency, lease);
    note(batch, acquire.lock, Acquired::Granted, waited);

    Answer answer;
    answer.body = lease_document(lease, ttl);
    answer.resource_id = to_string(lease.id);
    answer.fencing_token = token->value();
    return answer;
}

void LockCommands::grant_next(Batch& batch, const LockName& lock) {
    while (const auto waiter = tables_.live.dequeue(lock)) {
        const Ticket ticket(waiter->asker);
        const auto* waiting = tables_.room.find(ticket);
        FG_CHECK(waiting != nullptr);
        const Seconds waited = batch.now - waiter->since;
        if (waiter->deadline > batch.now) {
            batch.outcomes.push_back(
                {ticket, grant(batch, waiting->command, waiting->ttl, waited)});
            return;
        }
        note(batch, lock, Acquired::Timeout, waited);
        const auto ahead = tables_.live.waiters().waiting_for(lock);
        batch.outcomes.push_back({ticket, held(batch, lock, ahead)});
    }
}

void LockCommands::end(Batch& batch, const Lease& lease, LeaseState how, Seconds expiry_lag) {
    const Seconds remaining = remaining_of(tables_, lease, batch.now);
    tables_.leases.end(lease.token, how, batch.wall);
    tables_.live.disarm(lease.token);
    const auto held_for = std::max(batch.wall - lease.granted_at, WallTime::duration::zero());
    batch.events.emplace_back(LeaseEndEvent{.lock_class = classes_.index_of(lease.lock),
                                            .how = how_of(how),
                                            .held = held_for,
                                            .remaining = remaining,
                                            .expiry_lag = expiry_lag});
    grant_next(batch, lease.lock);
}

Answer LockCommands::not_own(Batch& batch, const std::optional<Lease>& lease, Error error) {
    const bool is_gone =
        error.code != ErrorCode::LeaseNotFound && error.code != ErrorCode::FenceNotHolder;
    if (is_gone) {
        describe_lease(tables_, batch, *lease, error);
        error.members.push_back({"remedy", "Acquire the lock again."});
    }
    return refusal(std::move(error));
}

Answer LockCommands::renew(Batch& batch, const Command& command, const RenewLease& renew) {
    auto lease = find_by_id(tables_, renew.lease_id);
    if (auto own = lockmgr::check_own_lease(lease, renew.lease_id, command.principal); !own)
        return not_own(batch, lease, own.error());
    // Who asks for nothing keeps what it has, even if the class has narrowed since.
    const auto ttl = renew.ttl ? lockmgr::decide_ttl(renew.ttl, classes_.of(lease->lock))
                               : Result<Duration>(lease->ttl);
    if (!ttl) return refusal(ttl.error());
    // Only a changed TTL needs the disk: deadlines are not stored, a restart grants full TTLs.
    if (*ttl != lease->ttl) tables_.leases.set_ttl(lease->token, *ttl);
    lease->ttl = *ttl;
    tables_.live.arm(lease->token, batch.now + *ttl);
    batch.events.emplace_back(RenewEvent{classes_.index_of(lease->lock)});

    Answer answer;
    answer.body = lease_document(*lease, *ttl);
    answer.resource_id = to_string(lease->id);
    answer.fencing_token = lease->token.value();
    return answer;
}

Answer LockCommands::release(Batch& batch, const Command& command, const ReleaseLease& release) {
    const auto lease = find_by_id(tables_, release.lease_id);
    if (auto own = lockmgr::check_own_lease(lease, release.lease_id, command.principal); !own)
        return not_own(batch, lease, own.error());
    end(batch, *lease, LeaseState::Released, Seconds(0));
    return {};
}

Answer LockCommands::break_lock(Batch& batch, const BreakLock& broken) {
    auto lease = tables_.leases.find_live(broken.lock);
    if (!lease)
        return refusal(
            {ErrorCode::LockNotHeld, "Nobody holds the lock; nothing to break.", {}, -1});
    if (lease->token.value() != broken.seen_token)
        return refusal({ErrorCode::FenceStale,
                        "The lock is held under another token than the one you saw. Read it again "
                        "before breaking it.",
                        {{"current_token", lease->token.value()}},
                        -1});
    tables_.leases.note_break_reason(lease->token, broken.reason);
    end(batch, *lease, LeaseState::Broken, Seconds(0));
    lease->state = LeaseState::Broken;
    lease->ended_at = batch.wall;
    Answer answer;
    answer.body = lease_document(*lease, std::nullopt);
    return answer;
}

Answer LockCommands::read(Batch& batch, const ReadLease& read) {
    const auto lease = find_by_id(tables_, read.lease_id);
    if (!lease || lease->id != read.lease_id)
        return refusal({ErrorCode::LeaseNotFound, "No lease has this id.", {}, -1});
    std::optional<Duration> remaining;
    if (lease->state == LeaseState::Live) remaining = remaining_of(tables_, *lease, batch.now);
    Answer answer;
    answer.body = lease_document(*lease, remaining);
    return answer;
}

Answer LockCommands::read(Batch& batch, const ReadLock& read) {
    const auto lease = tables_.leases.find_live(read.lock);
    const auto remaining = lease ? remaining_of(tables_, *lease, batch.now) : Duration::zero();
    Answer answer;
    answer.body =
        lock_document(read.lock, lease, remaining, tables_.live.waiters().waiting_for(read.lock));
    return answer;
}

bool LockCommands::is_expiry_due(BootTime now) const {
    return tables_.live.expiries().due(now).has_value();
}

void LockCommands::expire_next(Batch& batch) {
    const auto token = tables_.live.expiries().due(batch.now);
    if (!token) return;
    const auto deadline = *tables_.live.expiries().deadline_of(*token);
    const auto lease = tables_.leases.find(*token);
    if (lease) {
        end(batch, *lease, LeaseState::Expired, batch.now - deadline);
    } else {
        tables_.live.disarm(*token);  // somebody edited the file; or nothing of this will commit
    }
}

void LockCommands::refuse_next_waiter(Batch& batch) {
    const auto token = tables_.live.expiries().due(batch.now);
    if (!token) return;
    const auto lease = tables_.leases.find(*token);
    const auto waiter = lease ? tables_.live.dequeue(lease->lock) : std::nullopt;
    if (waiter) batch.outcomes.push_back({Ticket(waiter->asker), refusal(poisoned())});
}

void LockCommands::time_out_due(Batch& batch, std::size_t max) {
    for (std::size_t answered = 0; answered < max; ++answered) {
        const auto due = tables_.live.waiters().due(batch.now);
        if (!due) return;
        const auto waiter = tables_.live.remove(*due);
        note(batch, waiter->lock, Acquired::Timeout, batch.now - waiter->since);
        // As for who only tries: those who would be ahead if it asked again now.
        const auto ahead = tables_.live.waiters().waiting_for(waiter->lock);
        batch.outcomes.push_back({Ticket(waiter->asker), held(batch, waiter->lock, ahead)});
    }
}

void LockCommands::give_up(Batch& batch, Ticket ticket, ErrorCode why) {
    const auto* waiting = tables_.room.find(ticket);
    if (waiting == nullptr) return;
    const auto waiter = tables_.live.remove(waiting->waiter);
    if (!waiter) return;
    note(batch, waiter->lock, Acquired::Timeout, batch.now - waiter->since);
    batch.outcomes.push_back({ticket, refusal({why, "The wait was given up.", {}, 1'000})});
}

Answer LockCommands::held(Batch& batch, const LockName& lock, std::size_t ahead) {
    Error error{ErrorCode::LockHeld,
                "Another holder has the lock. Retry, or wait with wait_ms.",
                {},
                1'000};
    error.members.push_back({"lock", lock.value()});
    if (const auto lease = tables_.leases.find_live(lock)) {
        const auto remaining = remaining_of(tables_, *lease, batch.now);
        error.retry_after_ms = remaining.count();
        error.members.push_back({"holder", lease->owner});
        error.members.push_back({"holder_remaining_ms", remaining.count()});
    }
    error.members.push_back({"waiters_ahead", static_cast<std::int64_t>(ahead)});
    return refusal(std::move(error));
}

void LockCommands::note(Batch& batch, const LockName& lock, AcquireEvent::Outcome outcome,
                        Seconds waited) {
    batch.events.emplace_back(AcquireEvent{classes_.index_of(lock), outcome, waited});
}

void LockCommands::arm_all(BootTime now) {
    for (const auto& lease : tables_.leases.all_live()) {
        tables_.live.arm(lease.token, now + lease.ttl);
    }
    tables_.live.commit();
}

}  // namespace fencegate::storage::sqlite
