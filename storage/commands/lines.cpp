#include "storage/commands/lines.hpp"

#include "base/check.hpp"
#include "storage/commands/grants.hpp"
#include "storage/commands/purpose.hpp"
#include "storage/unit/views.hpp"

#include <algorithm>

namespace fencegate::storage {

using lockmgr::Fit;
using lockmgr::LeaseEnding;
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

// Whether whoever is first in a line that moved can be served now.
bool can_serve(Unit& unit) {
    while (!unit.freed.empty()) {
        const auto& lock = unit.freed.back();
        const auto* waiter = unit.live.waiters().first(lock);
        const bool is_next = waiter != nullptr && unit.live.waiters().is_first(*waiter) &&
                             unit.live.fit(waiter->locks, waiter->claim) == Fit::Fits;
        if (is_next && unit.served < kServedPerBatch) return true;
        if (is_next) unit.live.rest(lock, unit.now);  // until the next batch
        unit.freed.pop_back();
    }
    return false;
}

Waiter take_next(Unit& unit) {
    auto waiter = unit.live.remove(unit.live.waiters().first(unit.freed.back())->id);
    FG_CHECK(waiter.has_value());
    ++unit.served;
    // Whoever stood behind it in another line may be next there.
    if (waiter->locks.size() > 1)
        unit.freed.insert(unit.freed.end(), waiter->locks.begin(), waiter->locks.end());
    return *std::move(waiter);
}

std::optional<LockName> rest_that_is_over(const Unit& unit) {
    // It would only be put to rest again, in the place of an expiry that could have run.
    if (unit.served >= kServedPerBatch) return std::nullopt;
    return unit.live.resting().due(unit.at);
}

// The place stays behind it, if it can be known again; nobody is held up by that. False: it is not
// one that can come back.
bool keep_place(Unit& unit, Waiter waiter) {
    const auto kept = unit.classes.strictest(waiter.locks).place_kept;
    if (!waiter.key || kept <= Duration::zero() || unit.waiting.is_closed()) return false;
    waiter.away_until = unit.now + kept;
    unit.live.join(std::move(waiter));
    return true;
}

// Whoever stands behind it may be next then. nullopt: it does not wait.
std::optional<Waiter> take_out(Unit& unit, Ticket ticket) {
    const auto* asked = unit.waiting.find(ticket);
    const auto* waiter = asked == nullptr ? nullptr : unit.live.waiters().find(asked->waiter);
    if (waiter == nullptr || waiter->is_away()) return std::nullopt;  // answered in this batch
    unit.freed.insert(unit.freed.end(), waiter->locks.begin(), waiter->locks.end());
    return unit.live.remove(asked->waiter);
}

// At the moment of the grant everything that may have changed during the wait is looked at again.
Answer serve(Unit& unit, const Waiter& waiter) {
    const Seconds waited = unit.now - waiter.since;
    if (waiter.deadline <= unit.now) {
        note(unit, waiter.locks, Acquired::Timeout, unit.now - waiter.asked_at);
        return step_away(unit, waiter);
    }
    const auto* waiting = unit.waiting.find(Ticket(waiter.asker));
    FG_CHECK(waiting != nullptr);
    if (auto refused = refuse_purpose(unit, waiting->acquire())) return *refused;
    if (!unit.live.usage().may_hold(waiter.principal, waiter.locks))
        return deny(unit, waiter.locks, over_quota("holds"));
    return grant(unit, waiting->command, waiting->ttl, waited);
}

}  // namespace

std::optional<Waiter> take_up_place(Unit& unit, const std::optional<Idempotency>& key) {
    if (!key) return std::nullopt;
    const auto* away = unit.live.waiters().find_key(key->digest);
    // Who asks for something else under the key was refused before.
    if (away == nullptr || !away->is_away()) return std::nullopt;
    auto place = unit.live.remove(away->id);
    if (*place->away_until <= unit.at) return std::nullopt;
    place->away_until.reset();
    return place;
}

std::optional<Answer> wait(Unit& unit, const Request& request, Duration ttl, const LockClass& klass,
                           const std::optional<Waiter>& place) {
    const auto& command = request.command;
    const auto& acquire = std::get<AcquireLock>(command.operation);
    if (unit.waiting.is_closed())
        return refusal({ErrorCode::Draining, "The gateway is shutting down.", {}, 1'000});
    if (!unit.live.usage().may_wait(command.principal, acquire.locks))
        return deny(unit, acquire.locks, over_quota("waits for"));
    if (!unit.live.waiters().has_room(acquire.locks, klass.waiters_per_lock_max)) {
        note(unit, acquire.locks, Acquired::QueueFull);
        return refusal({ErrorCode::QueueFull,
                        "Too many requests wait for a lock already. Retry later.",
                        {},
                        1'000});
    }
    Waiter waiter{.id = place ? place->id : unit.waiting.take_id(),
                  .asker = request.ticket.value(),
                  .locks = acquire.locks,
                  .claim = acquire.claim,
                  .principal = command.principal,
                  .owner = acquire.owner,
                  .since = place ? place->since : unit.now,
                  .deadline = unit.now + acquire.wait,
                  .asked_at = unit.now};
    if (const auto& key = acquire.idempotency)
        waiter.key = lockmgr::RequestKey{key->digest, key->fingerprint};
    unit.waiting.add({request.ticket, waiter.id, request.home, command, ttl,
                      unit.classes.index_of(acquire.locks.front()), waiter.since});
    unit.live.join(std::move(waiter));
    unit.joined.push_back(request.ticket);
    return std::nullopt;
}

bool serve_next(Unit& unit) {
    if (!can_serve(unit)) return false;
    const auto waiter = take_next(unit);
    unit.outcomes.push_back({Ticket(waiter.asker), serve(unit, waiter)});
    return true;
}

void serve_later(Unit& unit) {
    for (const auto& lock : unit.freed) {
        // One that rests already is looked at when its rest is over, and not before.
        const bool is_resting = unit.live.resting().deadline_of(lock).has_value();
        if (!is_resting && unit.live.waiters().first(lock) != nullptr)
            unit.live.rest(lock, unit.now);
    }
    unit.freed.clear();
}

bool is_due(const Unit& unit) {
    return rest_that_is_over(unit).has_value() || unit.live.expiries().due(unit.at).has_value();
}

void run_due(Unit& unit) {
    if (const auto lock = rest_that_is_over(unit)) {
        unit.live.rest(*lock, std::nullopt);
        unit.freed.push_back(*lock);
        return;
    }
    const auto token = unit.live.expiries().due(unit.at);
    if (!token) return;
    const auto deadline = *unit.live.expiries().deadline_of(*token);
    const auto* lease = unit.leases.find(*token);
    // Without the row nothing of this will commit: the read has failed.
    if (lease != nullptr) end_lease(unit, *lease, LeaseEnding::Expired, unit.now - deadline);
}

void time_out_due(Unit& unit, std::size_t max) {
    for (std::size_t answered = 0; answered < max; ++answered) {
        const auto due = unit.live.waiters().due(unit.now);
        if (!due) return;
        auto waiter = unit.live.remove(*due);
        const Ticket ticket(waiter->asker);
        note(unit, waiter->locks, Acquired::Timeout, unit.now - waiter->asked_at);
        unit.freed.insert(unit.freed.end(), waiter->locks.begin(), waiter->locks.end());
        unit.outcomes.push_back({ticket, step_away(unit, *std::move(waiter))});
    }
}

void give_away_places(Unit& unit, std::size_t max) {
    for (std::size_t given = 0; given < max; ++given) {
        const auto gone = unit.live.waiters().given_up(unit.at);
        if (!gone) return;
        static_cast<void>(unit.live.remove(*gone));
    }
}

void give_up(Unit& unit, Ticket ticket, ErrorCode why) {
    auto waiter = take_out(unit, ticket);
    if (!waiter) return;
    note(unit, waiter->locks, Acquired::Timeout, unit.now - waiter->asked_at);
    // Whose connection was cut may come back; who was sent away is not waited for.
    if (why == ErrorCode::RequestTimeout) keep_place(unit, *std::move(waiter));
    unit.outcomes.push_back({ticket, refusal({why, "The wait was given up.", {}, 1'000})});
}

void turn_away(Unit& unit, Ticket ticket, Answer answer) {
    const auto waiter = take_out(unit, ticket);
    if (!waiter) return;
    note(unit, waiter->locks, Acquired::Denied);
    unit.outcomes.push_back({ticket, std::move(answer)});
}

// The refusal after a wait that was in vain.
Answer step_away(Unit& unit, Waiter waiter) {
    const auto id = waiter.id;
    const bool is_kept = keep_place(unit, waiter);
    return held(unit, waiter.locks, is_kept ? unit.live.waiters().find(id) : nullptr);
}

// Names the first lock that stands in the way. Who has waited and is told so reads how many would
// be ahead if it asked again now: those who stand there, and those who may come back before it.
Answer held(Unit& unit, const std::vector<LockName>& locks, const Waiter* kept) {
    const auto& live = unit.live;
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
    const auto holder = unit.tells_holder ? holder_of(unit, lock) : std::optional<LeaseView>();
    if (holder) {
        if (is_over(unit, holder->lease.token))
            error.detail =
                "The lease on the lock has run out, and its end has yet to be written. Retry, or "
                "wait with wait_ms.";
        const auto left = holder->remaining.value_or(Duration::zero());
        error.retry_after_ms = retry_after(left).count();
        error.members.push_back({"holder", holder->lease.owner});
        error.members.push_back({"holder_remaining_ms", left.count()});
    } else if (const auto until = live.resting().deadline_of(lock)) {
        error.detail = "The last lease on the lock ran out, and its lock_delay is not over.";
        const Duration left(ms_between(unit.now, *until));
        error.retry_after_ms = retry_after(left).count();
        error.members.push_back({"rests_for_ms", left.count()});
    }
    error.members.push_back({"waiters_ahead", ahead});
    error.members.push_back({"position", ahead + 1});
    if (kept != nullptr) tell_place(live.waiters().kept_until(*kept), unit.now, error);
    return refusal(std::move(error));
}

}  // namespace fencegate::storage
