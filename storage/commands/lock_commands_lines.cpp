// The waiting half of LockCommands: lines, who is next in them, who gives up, and what falls due.
#include "base/check.hpp"
#include "storage/commands/lock_commands.hpp"
#include "storage/commands/purpose.hpp"
#include "storage/unit/views.hpp"

#include <algorithm>

namespace fencegate::storage {

using lockmgr::Fit;
using lockmgr::LeaseState;
using lockmgr::LockClass;
using lockmgr::LockName;
using lockmgr::Waiter;
using lockmgr::WaiterId;

namespace {

using Acquired = AcquireEvent::Outcome;

// A writer that leaves may let thousands of readers in; they need not all come in one batch.
constexpr std::size_t kServedPerBatch = 1'024;
constexpr Duration kRetrySoonest{1'000};
constexpr Duration kRetryLatest{5'000};

// When to ask again for a lock that is busy for `left`. Holders release before their time is over,
// so nobody is sent away for all of it; and who comes at once finds what it has found.
Duration retry_after(Duration left) {
    return std::clamp<Duration>(left, kRetrySoonest, kRetryLatest);
}

// There is nothing to be gained by staying away while the place is kept.
constexpr std::int64_t kComeBackAfterMs = 1'000;

void tell_place(BootTime kept_until, BootTime now, Error& error) {
    const auto kept_ms = ms_between(now, kept_until);
    error.detail =
        "The wait is over and the lock is not free. Repeat the request with the same "
        "Idempotency-Key to wait on in the same place.";
    error.retry_after_ms = std::min({error.retry_after_ms, kComeBackAfterMs, kept_ms});
    error.members.push_back({"place_kept_ms", kept_ms});
}

}  // namespace

std::optional<Waiter> LockCommands::take_up_place(const Batch& batch,
                                                  const std::optional<Idempotency>& key) {
    if (!key) return std::nullopt;
    const auto* away = tables_.live.waiters().find_key(key->digest);
    // Who asks for something else under the key was refused before.
    if (away == nullptr || !away->is_away()) return std::nullopt;
    auto place = tables_.live.remove(away->id);
    if (*place->away_until <= batch.at) return std::nullopt;
    place->away_until.reset();
    return place;
}

std::optional<Answer> LockCommands::wait(Batch& batch, const Request& request, Duration ttl,
                                         const LockClass& klass,
                                         const std::optional<Waiter>& place) {
    const auto& command = request.command;
    const auto& acquire = std::get<AcquireLock>(command.operation);
    if (is_draining_)
        return refusal({ErrorCode::Draining, "The gateway is shutting down.", {}, 1'000});
    if (!tables_.live.usage().may_wait(command.principal, acquire.locks))
        return deny(batch, acquire.locks, over_quota("waits for"));
    if (!tables_.live.waiters().has_room(acquire.locks, klass.waiters_per_lock_max)) {
        note(batch, acquire.locks, Acquired::QueueFull);
        return refusal({ErrorCode::QueueFull,
                        "Too many requests wait for a lock already. Retry later.",
                        {},
                        1'000});
    }
    Waiter waiter{.id = place ? place->id : WaiterId(++last_waiter_),
                  .asker = request.ticket.value(),
                  .locks = acquire.locks,
                  .claim = acquire.claim,
                  .principal = command.principal,
                  .owner = acquire.owner,
                  .since = place ? place->since : batch.now,
                  .deadline = batch.now + acquire.wait,
                  .asked_at = batch.now};
    if (const auto& key = acquire.idempotency)
        waiter.key = lockmgr::RequestKey{key->digest, key->fingerprint};
    tables_.room.add({request.ticket, waiter.id, request.home, command, ttl,
                      classes_.index_of(acquire.locks.front()), waiter.since});
    tables_.live.enqueue(std::move(waiter));
    batch.enqueued.push_back(request.ticket);
    return std::nullopt;
}

bool LockCommands::can_serve(Batch& batch) {
    while (!batch.freed.empty()) {
        const auto& lock = batch.freed.back();
        const auto* waiter = tables_.live.waiters().first(lock);
        const bool is_next = waiter != nullptr && tables_.live.waiters().is_first(*waiter) &&
                             tables_.live.fit(waiter->locks, waiter->claim) == Fit::Fits;
        if (is_next && batch.served < kServedPerBatch) return true;
        if (is_next) tables_.live.rest(lock, batch.now);  // until the next batch
        batch.freed.pop_back();
    }
    return false;
}

void LockCommands::serve_later(Batch& batch) {
    for (const auto& lock : batch.freed) {
        // One that rests already is looked at when its rest is over, and not before.
        const bool is_resting = tables_.live.resting().deadline_of(lock).has_value();
        if (!is_resting && tables_.live.waiters().first(lock) != nullptr)
            tables_.live.rest(lock, batch.now);
    }
    batch.freed.clear();
}

Waiter LockCommands::take_next(Batch& batch) {
    auto waiter = tables_.live.remove(tables_.live.waiters().first(batch.freed.back())->id);
    FG_CHECK(waiter.has_value());
    ++batch.served;
    // Whoever stood behind it in another line may be next there. If the grant is taken back, it is
    // first again in each of them, so refuse_next() meets it whichever is looked at.
    if (waiter->locks.size() > 1)
        batch.freed.insert(batch.freed.end(), waiter->locks.begin(), waiter->locks.end());
    return *std::move(waiter);
}

void LockCommands::serve_next(Batch& batch) {
    const auto waiter = take_next(batch);
    batch.outcomes.push_back({Ticket(waiter.asker), serve(batch, waiter)});
}

void LockCommands::refuse_next(Batch& batch) {
    const auto waiter = take_next(batch);
    batch.outcomes.push_back({Ticket(waiter.asker), refusal(poisoned())});
}

// At the moment of the grant everything that may have changed during the wait is looked at again.
Answer LockCommands::serve(Batch& batch, const Waiter& waiter) {
    const Seconds waited = batch.now - waiter.since;
    if (waiter.deadline <= batch.now) {
        note(batch, waiter.locks, Acquired::Timeout, batch.now - waiter.asked_at);
        return step_away(batch, waiter);
    }
    const auto* waiting = tables_.room.find(Ticket(waiter.asker));
    FG_CHECK(waiting != nullptr);
    if (auto refused = refuse_purpose(tables_, batch, waiting->acquire())) return *refused;
    if (!tables_.live.usage().may_hold(waiter.principal, waiter.locks))
        return deny(batch, waiter.locks, over_quota("holds"));
    return grant(batch, waiting->command, waiting->ttl, waited);
}

std::optional<LockName> LockCommands::rest_that_is_over(const Batch& batch) const {
    // It would only be put to rest again, in the place of an expiry that could have run.
    if (batch.served >= kServedPerBatch) return std::nullopt;
    return tables_.live.resting().due(batch.at);
}

bool LockCommands::is_due(const Batch& batch) const {
    return rest_that_is_over(batch).has_value() ||
           tables_.live.expiries().due(batch.at).has_value();
}

void LockCommands::run_due(Batch& batch) {
    if (const auto lock = rest_that_is_over(batch)) {
        tables_.live.rest(*lock, std::nullopt);
        batch.freed.push_back(*lock);
        return;
    }
    const auto token = tables_.live.expiries().due(batch.at);
    if (!token) return;
    const auto deadline = *tables_.live.expiries().deadline_of(*token);
    const auto lease = tables_.leases.find(*token);
    // Without the row nothing of this will commit: the read has failed.
    if (lease) end(batch, *lease, LeaseState::Expired, batch.now - deadline);
}

void LockCommands::time_out_due(Batch& batch, std::size_t max) {
    for (std::size_t answered = 0; answered < max; ++answered) {
        const auto due = tables_.live.waiters().due(batch.now);
        if (!due) return;
        auto waiter = tables_.live.remove(*due);
        const Ticket ticket(waiter->asker);
        note(batch, waiter->locks, Acquired::Timeout, batch.now - waiter->asked_at);
        batch.freed.insert(batch.freed.end(), waiter->locks.begin(), waiter->locks.end());
        batch.outcomes.push_back({ticket, step_away(batch, *std::move(waiter))});
    }
}

void LockCommands::give_away_places(const Batch& batch, std::size_t max) {
    for (std::size_t given = 0; given < max; ++given) {
        const auto gone = tables_.live.waiters().given_up(batch.at);
        if (!gone) return;
        static_cast<void>(tables_.live.remove(*gone));
    }
}

// The place stays behind it, if it can be known again; nobody is held up by that.
bool LockCommands::keep_place(const Batch& batch, Waiter waiter) {
    const auto kept = classes_.strictest(waiter.locks).place_kept;
    if (!waiter.key || kept <= Duration::zero() || is_draining_) return false;
    waiter.away_until = batch.now + kept;
    tables_.live.enqueue(std::move(waiter));
    return true;
}

// The refusal after a wait that was in vain.
Answer LockCommands::step_away(Batch& batch, Waiter waiter) {
    const auto id = waiter.id;
    const bool is_kept = keep_place(batch, waiter);
    return held(batch, waiter.locks, is_kept ? tables_.live.waiters().find(id) : nullptr);
}

void LockCommands::give_up(Batch& batch, Ticket ticket, ErrorCode why) {
    const auto* waiting = tables_.room.find(ticket);
    if (waiting == nullptr) return;
    auto waiter = tables_.live.remove(waiting->waiter);
    if (!waiter) return;
    note(batch, waiter->locks, Acquired::Timeout, batch.now - waiter->asked_at);
    batch.freed.insert(batch.freed.end(), waiter->locks.begin(), waiter->locks.end());
    // Whose connection was cut may come back; who was sent away is not waited for.
    if (why == ErrorCode::RequestTimeout) keep_place(batch, *std::move(waiter));
    batch.outcomes.push_back({ticket, refusal({why, "The wait was given up.", {}, 1'000})});
}

// Names the first lock that stands in the way. Who has waited and is told so reads how many would
// be ahead if it asked again now: those who stand there, and those who may come back before it.
Answer LockCommands::held(Batch& batch, const std::vector<LockName>& locks, const Waiter* kept) {
    const auto& live = tables_.live;
    const auto busy = std::ranges::find_if(locks, [&](const LockName& lock) {
        return live.holdings().find(lock) != nullptr || live.resting().deadline_of(lock) ||
               live.waiters().waiting_for(lock) > 0;
    });
    const auto& lock = busy == locks.end() ? locks.front() : *busy;
    const auto& places = live.waiters().places(lock);
    const auto ahead =
        static_cast<std::int64_t>(kept != nullptr ? places.rank_of(kept->id) : places.size());
    Error error{ErrorCode::LockHeld,
                "Another holder has the lock. Retry, or wait with wait_ms.",
                {{"lock", lock.value()}},
                1'000};
    const auto holder =
        batch.tells_holder ? holder_of(tables_, lock, batch.now) : std::optional<LeaseView>();
    if (holder) {
        if (is_over(tables_, batch, holder->lease.token))
            error.detail =
                "The lease on the lock has run out, and its end has yet to be written. Retry, or "
                "wait with wait_ms.";
        const auto left = holder->remaining.value_or(Duration::zero());
        error.retry_after_ms = retry_after(left).count();
        error.members.push_back({"holder", holder->lease.owner});
        error.members.push_back({"holder_remaining_ms", left.count()});
    } else if (const auto until = live.resting().deadline_of(lock)) {
        error.detail = "The last lease on the lock ran out, and its lock_delay is not over.";
        const Duration left(ms_between(batch.now, *until));
        error.retry_after_ms = retry_after(left).count();
        error.members.push_back({"rests_for_ms", left.count()});
    }
    error.members.push_back({"waiters_ahead", ahead});
    error.members.push_back({"position", ahead + 1});
    if (kept != nullptr) tell_place(live.waiters().kept_until(*kept), batch.now, error);
    return refusal(std::move(error));
}

}  // namespace fencegate::storage
