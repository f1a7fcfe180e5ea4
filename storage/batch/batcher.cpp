#include "storage/batch/batcher.hpp"

#include "storage/commands/dispatch.hpp"
#include "storage/commands/grants.hpp"
#include "storage/commands/lines.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {
namespace {

// How much of the due work one batch takes on: many leases that expire in the same second must not
// hold up the commands behind them.
constexpr std::size_t kDuePerBatch = 256;
constexpr std::size_t kTimeoutsPerBatch = 1024;
// A deadlock stands until somebody's patience ends; nobody needs to learn of it at once.
constexpr Duration kDeadlockLookAfter{1'000};

}  // namespace

Batcher::Batcher(std::unique_ptr<Store> store, lockmgr::LockClasses classes,
                 lockmgr::WaitLimits limits, const Clock& clock, Random& random,
                 StoreObserver& observer, const Retention& retention)
    : store_(std::move(store)),
      clock_(clock),
      observer_(observer),
      standing_(store_->readers().ledger.read(), limits, std::move(classes), random),
      sweeper_(store_->readers().upkeep, retention, clock.boot_now()),
      holds_(retention.holds),
      held_(standing_.classes.size(), 0),
      stalls_(clock.boot_now()) {
    const auto live = store_->readers().leases.all_live();
    if (!arm_all(standing_, live, clock_.boot_now()))
        distrust("two live leases hold what only one can: the file was changed by another program");
    for (const auto& lease : live) {
        for (const auto& name : lease.locks) ++held_[standing_.classes.index_of(name)];
    }
    publish_levels();
    static_cast<void>(look_at_clock(clock_.boot_now()));
    if (store_->gap()) observer_.on_clock_jump(*store_->gap());
}

std::vector<Routed> Batcher::run(std::span<const Request> requests,
                                 std::span<const Ticket> cancelled, std::optional<BootTime> taken) {
    std::vector<Routed> out;
    out.reserve(requests.size());
    if (fatal_) {
        fail_all({}, requests, out);
        return out;
    }
    const auto result = attempt(requests, cancelled, taken, out);
    if (result == Attempt::Failed) {
        fail_all(requests, {}, out);
    } else if (result != Attempt::Committed) {
        run_one_by_one(result, requests, cancelled, out);
    }
    return out;
}

Batcher::Attempt Batcher::attempt(std::span<const Request> requests,
                                  std::span<const Ticket> cancelled, std::optional<BootTime> taken,
                                  std::vector<Routed>& out) {
    look();
    store_->begin();
    Unit unit(*store_, standing_, begin_moment());
    unit.keeps_record = keeps_record_;
    unit.tells_holder = tells_holder_;
    culprit_.reset();
    stats_ = {.commands = requests.size()};
    std::vector<Routed> answered;
    answered.reserve(requests.size());

    run_timers(unit, cancelled);
    for (const auto& request : requests) {
        advance(unit, request.arrived.value_or(unit.now));
        if (auto answer = execute(unit, request, cancelled))
            answered.push_back({request.home, {request.ticket, *std::move(answer)}});
    }
    advance(unit, taken.value_or(unit.now));
    if (!unit.has_failed()) sweep(unit, requests.size());
    const auto result = commit(unit);
    if (result != Attempt::Committed) {
        roll_back(unit);
        return result;
    }
    std::ranges::move(answered, std::back_inserter(out));
    publish(unit, out);
    return result;
}

void Batcher::run_timers(Unit& unit, std::span<const Ticket> cancelled) {
    // Before any grant of this batch: who has left must not be granted.
    for (const auto ticket : cancelled) give_up(unit, ticket, ErrorCode::RequestTimeout);
    give_up_doomed(unit);
    time_out_due(unit, kTimeoutsPerBatch);
    look_for_deadlocks(unit);
    if (retry_at_ && unit.now < *retry_at_) {
        serve_later(unit);  // a grant has no room either
        return;
    }
    retry_at_.reset();
    serve_lines(unit);
}

void Batcher::advance(Unit& unit, BootTime at) {
    unit.at = std::max(unit.at, std::min(at, unit.now));
    if (retry_at_) return;
    give_away_places(unit, kTimeoutsPerBatch);
    for (; unit.run_due < kDuePerBatch && is_due(unit); ++unit.run_due) {
        if (unit.has_failed()) return;
        const auto token = standing_.live.expiries().due(unit.at);
        run_due(unit);
        if (token) end_step(unit, Expiring{*token});
        serve_lines(unit);
    }
}

void Batcher::serve_lines(Unit& unit) {
    while (!unit.has_failed() && serve_next(unit))
        end_step(unit, Waiting{unit.outcomes.back().ticket});
}

std::optional<Answer> Batcher::execute(Unit& unit, const Request& request,
                                       std::span<const Ticket> cancelled) {
    // A cancel may arrive together with the request it cancels.
    if (std::ranges::find(cancelled, request.ticket) != cancelled.end())
        return refusal({ErrorCode::RequestTimeout, "The client has left.", {}, -1});
    auto answer = dispatch(unit, request);
    end_step(unit, TheCommand{});
    serve_lines(unit);
    return answer;
}

Batcher::Attempt Batcher::commit(Unit& unit) {
    const auto before = clock_.boot_now();
    unit.write();
    auto made = store_->commit(stats_.commands);
    stats_.wrote = made.wrote;
    if (store_->failure()) return why_failed();
    if (made.lost) distrust(*std::move(made.lost));
    if (!made.is_safe) return Attempt::Failed;
    settle(unit, clock_.boot_now() - before);
    return Attempt::Committed;
}

Batcher::Attempt Batcher::why_failed() {
    why_ = store_->failure();
    switch (why_->kind) {
        case Failure::Kind::Full: observer_.on_error(StoreError::Full); return Attempt::Full;
        case Failure::Kind::Damaged: return Attempt::Damaged;
        case Failure::Kind::Constraint: return Attempt::Refused;
        case Failure::Kind::Lost:
            if (!std::exchange(was_lost_, true)) return Attempt::Lost;
            break;  // twice without a commit in between: the store is not coming back by itself
        case Failure::Kind::Busy:
        case Failure::Kind::Fatal: break;
    }
    distrust(why_->message);
    return Attempt::Failed;
}

// What was committed is there to stay: memory follows.
void Batcher::settle(Unit& unit, BootTime::duration took) {
    was_lost_ = false;
    if (stats_.wrote) stats_.commit = took;
    stats_.wal_bytes = store_->log_bytes();
    stats_.journal_entries = standing_.ledger.head().entries;
    standing_.ledger.commit();
    sweeper_.commit();
    start_clocks(unit, clock_.boot_now());
    last_writes_.complete(unit.events);
    standing_.statistics.note(unit.events, unit.now);
    count_held(unit.events);
    if (unit.lines_moved() && !deadlock_look_at_) deadlock_look_at_ = unit.now + kDeadlockLookAfter;
}

// What was armed in this batch runs from now on: its holder learns of it only now. Everything else
// gets back what the commit took too long.
void Batcher::start_clocks(const Unit& unit, BootTime done) {
    const auto stalled = stalls_.look(done);
    standing_.live.commit(done - unit.now - stalled);
    standing_.live.postpone(stalled);
}

void Batcher::roll_back(const Unit& unit) {
    store_->roll_back();
    if (const auto& failure = store_->failure()) distrust(failure->message);
    store_->clear_failure();
    standing_.live.rollback();
    standing_.ledger.roll_back();
    sweeper_.roll_back();
    holds_.begin_round();
    for (const auto ticket : unit.enqueued) standing_.room.remove(ticket);
}

}  // namespace fencegate::storage
