#include "storage/batch/batcher.hpp"

#include <algorithm>
#include <tuple>

namespace fencegate::storage {
namespace {

// How much of the due work one batch takes on: many leases that expire in the same second must not
// hold up the commands behind them.
constexpr std::size_t kDuePerBatch = 256;
constexpr std::size_t kTimeoutsPerBatch = 1024;
// A deadlock stands until somebody's patience ends; nobody needs to learn of it at once.
constexpr Duration kDeadlockLookAfter{1'000};

// As resize(), of what has no default to grow by.
template <class T>
void cut(std::vector<T>& all, std::size_t size) {
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(size), all.end());
}

Answer internal_refusal(const Failure& failure) {
    return refusal({ErrorCode::Internal,
                    "A constraint of the store refused the write: " + failure.message,
                    {},
                    -1});
}

Answer full_refusal() {
    return refusal({ErrorCode::StoreFull,
                    "The disk of the store is full, and this was not done. Repeat the call with "
                    "the same Idempotency-Key when there is room: should the gateway crash right "
                    "now, a part of the log may still come back, and only the key tells.",
                    {},
                    5'000});
}

}  // namespace

Batcher::Batcher(std::unique_ptr<Store> store, lockmgr::LockClasses classes,
                 lockmgr::WaitLimits limits, const Clock& clock, Random& random,
                 StoreObserver& observer, const Retention& retention)
    : store_(std::move(store)),
      clock_(clock),
      observer_(observer),
      classes_(std::move(classes)),
      tables_(store_->rows(), limits, classes_),
      commands_(tables_, classes_, random),
      sweeper_(store_->rows().upkeep, retention, clock.boot_now()),
      holds_(tables_, retention.holds, random),
      held_(classes_.size(), 0),
      stalls_(clock.boot_now()) {
    const auto live = tables_.leases.all_live();
    if (!commands_.locks.arm_all(live, clock_.boot_now()))
        distrust("two live leases hold what only one can: the file was changed by another program");
    for (const auto& lease : live) {
        for (const auto& name : lease.locks) ++held_[classes_.index_of(name)];
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
    switch (attempt(requests, cancelled, taken, out)) {
        case Attempt::Committed: return out;
        case Attempt::Failed: fail_all(requests, {}, out); return out;
        case Attempt::Full: run_one_by_one(Attempt::Full, requests, cancelled, out); return out;
        case Attempt::Damaged: break;
    }
    run_one_by_one(Attempt::Damaged, requests, cancelled, out);
    return out;
}

// With a full disk, commands that write nothing still have an answer; with a damaged page, those
// that do not need it.
void Batcher::run_one_by_one(Attempt because, std::span<const Request> requests,
                             std::span<const Ticket> cancelled, std::vector<Routed>& out) {
    if (because == Attempt::Full) {
        retry_at_ = clock_.boot_now() + kRetryAfterFull;
        keeps_record_ = false;
    } else {
        tells_holder_ = false;
        std::ignore = leave_out_culprit();
    }
    // Writes nothing with a full disk, so it has room. What cannot be left out must wait.
    if (attempt_past_damage({}, cancelled, {}, out) == Attempt::Damaged) {
        note_damage(damage_);
        retry_at_ = clock_.boot_now() + kRetryAfterDamage;
    }
    while (!requests.empty() && !fatal_) {
        const auto one = requests.first(1);
        const auto result = attempt_past_damage(one, cancelled, one[0].arrived, out);
        if (result == Attempt::Failed) break;
        if (result == Attempt::Full) out.push_back({one[0].home, {one[0].ticket, full_refusal()}});
        if (result == Attempt::Damaged) {
            note_damage(damage_);
            out.push_back({one[0].home, {one[0].ticket, damaged_refusal(damage_)}});
        }
        requests = requests.subspan(1);
    }
    keeps_record_ = true;
    tells_holder_ = true;
    if (fatal_) fail_all(requests, {}, out);  // all were part of the batch that had no room
}

Batcher::Attempt Batcher::attempt(std::span<const Request> requests,
                                  std::span<const Ticket> cancelled, std::optional<BootTime> taken,
                                  std::vector<Routed>& out) {
    look();
    const auto now = clock_.boot_now();
    Batch batch{.now = now,
                .wall = look_at_clock(now),
                .hour = sweeper_.hour(),
                .keeps_record = keeps_record_,
                .tells_holder = tells_holder_};
    culprit_ = {};
    batch.outcomes.reserve(requests.size());
    stats_ = {.commands = requests.size()};
    std::vector<Routed> answered;
    answered.reserve(requests.size());

    store_->begin();
    run_timers(batch, cancelled);
    for (const auto& request : requests) {
        advance(batch, request.arrived.value_or(batch.now));
        if (auto answer = execute_unless_gone(batch, request, cancelled))
            answered.push_back({request.home, {request.ticket, *std::move(answer)}});
    }
    advance(batch, taken.value_or(batch.now));
    if (!store_->failure()) {
        sweep(batch, requests.size());
        blame(Upkeep{});
    }
    const auto result = commit(batch);
    if (result != Attempt::Committed) {
        roll_back(batch);
        return result;
    }
    std::ranges::move(answered, std::back_inserter(out));
    publish(batch, out);
    return result;
}

void Batcher::run_timers(Batch& batch, std::span<const Ticket> cancelled) {
    auto& locks = commands_.locks;
    // Before any grant of this batch: who has left must not be granted.
    for (const auto ticket : cancelled) locks.give_up(batch, ticket, ErrorCode::RequestTimeout);
    give_up_doomed(batch);
    locks.time_out_due(batch, kTimeoutsPerBatch);
    look_for_deadlocks(batch);
    if (retry_at_ && batch.now < *retry_at_) {
        locks.serve_later(batch);  // a grant has no room either
        return;
    }
    retry_at_.reset();
    serve_lines(batch);
}

void Batcher::advance(Batch& batch, BootTime at) {
    auto& locks = commands_.locks;
    batch.at = std::max(batch.at, std::min(at, batch.now));
    if (retry_at_) return;
    locks.give_away_places(batch, kTimeoutsPerBatch);
    for (; batch.run_due < kDuePerBatch && locks.is_due(batch); ++batch.run_due) {
        if (store_->failure()) return;
        const auto token = tables_.live.expiries().due(batch.at);
        const auto refused = under_savepoint(batch, [&] { locks.run_due(batch); });
        if (token) blame(Expiring{*token});
        if (refused) {  // no rule of ours explains it: try again, but do not spin
            retry_at_ = batch.now + kRetryAfterFull;
            return;
        }
        serve_lines(batch);
    }
}

void Batcher::serve_lines(Batch& batch) {
    auto& locks = commands_.locks;
    while (!store_->failure() && locks.can_serve(batch)) {
        const auto refused = under_savepoint(batch, [&] { locks.serve_next(batch); });
        if (!batch.outcomes.empty()) blame(Waiting{batch.outcomes.back().ticket});
        if (refused) locks.refuse_next(batch);
    }
}

// Runs `work` under a savepoint. If a constraint fires, everything `work` did is taken back, and
// the failure is returned; any other failure stays with the connection and ends the batch.
std::optional<Failure> Batcher::under_savepoint(Batch& batch, const std::function<void()>& work) {
    if (store_->failure()) return std::nullopt;
    const auto mark = tables_.live.mark();
    const auto journal = tables_.ledger.mark();
    const auto outcomes = batch.outcomes.size();
    const auto events = batch.events.size();
    const auto notices = batch.notices.size();
    const auto contentions = batch.contentions.size();
    const auto enqueued = batch.enqueued.size();
    store_->mark();
    work();
    auto failure = store_->failure();
    if (!failure || failure->kind != Failure::Kind::Constraint) {
        store_->release();
        return std::nullopt;
    }
    observer_.on_error(StoreError::Constraint);
    store_->clear_failure();
    store_->roll_back_to_mark();
    store_->release();
    tables_.live.rollback_to(mark);
    tables_.ledger.rollback_to(journal);
    batch.outcomes.resize(outcomes);
    batch.events.resize(events);
    cut(batch.notices, notices);
    cut(batch.contentions, contentions);
    for (auto at = enqueued; at < batch.enqueued.size(); ++at)
        tables_.room.remove(batch.enqueued[at]);
    batch.enqueued.resize(enqueued);
    return failure;
}

std::optional<Answer> Batcher::execute_unless_gone(Batch& batch, const Request& request,
                                                   std::span<const Ticket> cancelled) {
    // A cancel may arrive together with the request it cancels.
    if (std::ranges::find(cancelled, request.ticket) == cancelled.end())
        return execute(batch, request);
    return refusal({ErrorCode::RequestTimeout, "The client has left.", {}, -1});
}

std::optional<Answer> Batcher::execute(Batch& batch, const Request& request) {
    if (is_read(request.command.operation)) return dispatch(commands_, batch, request);
    std::optional<Answer> answer;
    const auto refused =
        under_savepoint(batch, [&] { answer = dispatch(commands_, batch, request); });
    serve_lines(batch);
    return refused ? internal_refusal(*refused) : answer;
}

Batcher::Attempt Batcher::commit(Batch& batch) {
    const auto before = clock_.boot_now();
    tables_.ledger.write_balances();
    auto made = store_->commit(stats_.commands);
    stats_.wrote = made.wrote;
    if (const auto& failure = store_->failure()) {
        if (failure->kind == Failure::Kind::Full) {
            observer_.on_error(StoreError::Full);
            return Attempt::Full;
        }
        if (failure->kind == Failure::Kind::Damaged) {
            damage_ = failure->message;
            return Attempt::Damaged;
        }
        distrust(failure->message);
        return Attempt::Failed;
    }
    if (made.lost) distrust(*std::move(made.lost));
    if (!made.is_safe) return Attempt::Failed;
    settle(batch, clock_.boot_now() - before);
    return Attempt::Committed;
}

// What was committed is there to stay: memory follows.
void Batcher::settle(Batch& batch, BootTime::duration took) {
    if (stats_.wrote) stats_.commit = took;
    stats_.wal_bytes = store_->log_bytes();
    stats_.journal_entries = tables_.ledger.head().entries;
    tables_.ledger.commit();
    start_clocks(batch, clock_.boot_now());
    last_writes_.complete(batch.events);
    tables_.statistics.note(batch.events, batch.now);
    count_held(batch.events);
    if (batch.lines_moved() && !deadlock_look_at_)
        deadlock_look_at_ = batch.now + kDeadlockLookAfter;
}

// What was armed in this batch runs from now on: its holder learns of it only now. Everything else
// gets back what the commit took too long.
void Batcher::start_clocks(const Batch& batch, BootTime done) {
    const auto stalled = stalls_.look(done);
    tables_.live.commit(done - batch.now - stalled);
    tables_.live.postpone(stalled);
}

void Batcher::roll_back(const Batch& batch) {
    store_->roll_back();
    if (const auto& failure = store_->failure()) distrust(failure->message);
    store_->clear_failure();
    tables_.live.rollback();
    tables_.ledger.roll_back();
    sweeper_.begin_round();
    holds_.begin_round();
    store_->clear_failure();  // a page that the sweeper needs; it goes on from what it knew
    for (const auto ticket : batch.enqueued) tables_.room.remove(ticket);
}

}  // namespace fencegate::storage
