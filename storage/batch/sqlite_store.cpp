#include "storage/batch/sqlite_store.hpp"

#include "base/check.hpp"
#include "storage/model/remedies.hpp"

#include <sqlite3.h>

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

// Whether somebody came to wait or left a line.
bool lines_moved(const Batch& batch) { return !batch.enqueued.empty() || !batch.outcomes.empty(); }

// As resize(), of what has no default to grow by.
template <class T>
void cut(std::vector<T>& all, std::size_t size) {
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(size), all.end());
}

Answer internal_refusal(const sqlite::Failure& failure) {
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

SqliteStore::SqliteStore(sqlite::FolderLock lock, std::unique_ptr<sqlite::Connection> connection,
                         lockmgr::LockClasses classes, lockmgr::WaitLimits limits,
                         const Clock& clock, Random& random, StoreObserver& observer,
                         const Retention& retention)
    : lock_(std::move(lock)),
      connection_(std::move(connection)),
      clock_(clock),
      observer_(observer),
      classes_(std::move(classes)),
      tables_(*connection_, limits, classes_, clock),
      commands_(*connection_, tables_, classes_, random),
      sweeper_(*connection_, retention, clock.boot_now()),
      holds_(tables_, retention.holds, random),
      incarnation_(*connection_, lock_.folder()),
      tail_(lock_.folder() / "store.db"),
      names_(lock_.folder_descriptor()),
      begin_(*connection_, "BEGIN"),
      commit_(*connection_, "COMMIT"),
      savepoint_(*connection_, "SAVEPOINT command"),
      release_(*connection_, "RELEASE command"),
      rollback_to_(*connection_, "ROLLBACK TO command"),
      held_(classes_.size(), 0),
      stalls_(clock.boot_now()) {
    connection_->on_copied([this](bool is_emptied_next) {
        tail_.copied();
        if (is_emptied_next) tail_.sync();  // an old note would miss the log
        return true;
    });
    const auto live = tables_.leases.all_live();
    if (!commands_.locks.arm_all(live, clock_.boot_now()))
        distrust("two live leases hold what only one can: the file was changed by another program");
    for (const auto& lease : live) {
        for (const auto& name : lease.locks) ++held_[classes_.index_of(name)];
    }
    publish_levels();
    static_cast<void>(look_at_clock(clock_.boot_now()));
    if (tables_.clock.gap()) observer_.on_clock_jump(*tables_.clock.gap());
}

std::vector<Routed> SqliteStore::run(std::span<const Request> requests,
                                     std::span<const Ticket> cancelled,
                                     std::optional<BootTime> taken) {
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
void SqliteStore::run_one_by_one(Attempt because, std::span<const Request> requests,
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

SqliteStore::Attempt SqliteStore::attempt(std::span<const Request> requests,
                                          std::span<const Ticket> cancelled,
                                          std::optional<BootTime> taken, std::vector<Routed>& out) {
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

    begin_.run();
    run_timers(batch, cancelled);
    for (const auto& request : requests) {
        advance(batch, request.arrived.value_or(batch.now));
        if (auto answer = execute_unless_gone(batch, request, cancelled))
            answered.push_back({request.home, {request.ticket, *std::move(answer)}});
    }
    advance(batch, taken.value_or(batch.now));
    if (!connection_->failure()) {
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

void SqliteStore::run_timers(Batch& batch, std::span<const Ticket> cancelled) {
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

void SqliteStore::advance(Batch& batch, BootTime at) {
    auto& locks = commands_.locks;
    batch.at = std::max(batch.at, std::min(at, batch.now));
    if (retry_at_) return;
    locks.give_away_places(batch, kTimeoutsPerBatch);
    for (; batch.run_due < kDuePerBatch && locks.is_due(batch); ++batch.run_due) {
        if (connection_->failure()) return;
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

void SqliteStore::serve_lines(Batch& batch) {
    auto& locks = commands_.locks;
    while (!connection_->failure() && locks.can_serve(batch)) {
        const auto refused = under_savepoint(batch, [&] { locks.serve_next(batch); });
        if (!batch.outcomes.empty()) blame(Waiting{batch.outcomes.back().ticket});
        if (refused) locks.refuse_next(batch);
    }
}

// Runs `work` under a savepoint. If a constraint fires, everything `work` did is taken back, and
// the failure is returned; any other failure stays with the connection and ends the batch.
std::optional<sqlite::Failure> SqliteStore::under_savepoint(Batch& batch,
                                                            const std::function<void()>& work) {
    if (connection_->failure()) return std::nullopt;
    const auto mark = tables_.live.mark();
    const auto journal = tables_.journal.mark();
    const auto outcomes = batch.outcomes.size();
    const auto events = batch.events.size();
    const auto notices = batch.notices.size();
    const auto contentions = batch.contentions.size();
    const auto enqueued = batch.enqueued.size();
    savepoint_.run();
    work();
    auto failure = connection_->failure();
    if (!failure || failure->kind != sqlite::Failure::Kind::Constraint) {
        release_.run();
        return std::nullopt;
    }
    observer_.on_error(StoreError::Constraint);
    connection_->clear_failure();
    rollback_to_.run();
    release_.run();
    tables_.live.rollback_to(mark);
    tables_.journal.rollback_to(journal);
    batch.outcomes.resize(outcomes);
    batch.events.resize(events);
    cut(batch.notices, notices);
    cut(batch.contentions, contentions);
    for (auto at = enqueued; at < batch.enqueued.size(); ++at)
        tables_.room.remove(batch.enqueued[at]);
    batch.enqueued.resize(enqueued);
    return failure;
}

std::optional<Answer> SqliteStore::execute_unless_gone(Batch& batch, const Request& request,
                                                       std::span<const Ticket> cancelled) {
    // A cancel may arrive together with the request it cancels.
    if (std::ranges::find(cancelled, request.ticket) == cancelled.end())
        return execute(batch, request);
    return refusal({ErrorCode::RequestTimeout, "The client has left.", {}, -1});
}

std::optional<Answer> SqliteStore::execute(Batch& batch, const Request& request) {
    if (is_read(request.command.operation)) return dispatch(commands_, batch, request);
    std::optional<Answer> answer;
    const auto refused =
        under_savepoint(batch, [&] { answer = dispatch(commands_, batch, request); });
    serve_lines(batch);
    return refused ? internal_refusal(*refused) : answer;
}

SqliteStore::Attempt SqliteStore::commit(Batch& batch) {
    const auto before = clock_.boot_now();
    tables_.journal.write_balances();
    stats_.wrote = ::sqlite3_txn_state(connection_->handle(), nullptr) == SQLITE_TXN_WRITE;
    if (stats_.wrote) incarnation_.raise_if_due(before);
    if (stats_.wrote) tables_.clock.keep_if_due(before);
    commit_.run();
    const auto& failure = connection_->failure();
    if (failure) {
        if (failure->kind == sqlite::Failure::Kind::Full) {
            observer_.on_error(StoreError::Full);
            return Attempt::Full;
        }
        if (failure->kind == sqlite::Failure::Kind::Damaged) {
            damage_ = failure->message;
            return Attempt::Damaged;
        }
        distrust(failure->message);
        return Attempt::Failed;
    }
    const auto done = clock_.boot_now();
    if (stats_.wrote) tail_.committed(connection_->wal_frames(), incarnation_.generation());
    if (stats_.wrote && !can_be_found()) return Attempt::Failed;
    incarnation_.committed();
    tables_.clock.committed();
    if (stats_.wrote) stats_.commit = done - before;
    if (stats_.wrote) checkpoint_pace_.note_batch(stats_.commands);
    stats_.wal_bytes = connection_->wal_bytes();
    stats_.journal_entries = tables_.journal.head().entries;
    tables_.journal.commit();
    start_clocks(batch, done);
    last_writes_.complete(batch.events);
    tables_.statistics.note(batch.events, batch.now);
    count_held(batch.events);
    if (lines_moved(batch) && !deadlock_look_at_)
        deadlock_look_at_ = batch.now + kDeadlockLookAfter;
    return Attempt::Committed;
}

// What was armed in this batch runs from now on: its holder learns of it only now. Everything else
// gets back what the commit took too long.
void SqliteStore::start_clocks(const Batch& batch, BootTime done) {
    const auto stalled = stalls_.look(done);
    tables_.live.commit(done - batch.now - stalled);
    tables_.live.postpone(stalled);
}

void SqliteStore::roll_back(const Batch& batch) {
    connection_->clear_failure();
    if (connection_->is_in_transaction()) connection_->exec("ROLLBACK");
    if (connection_->failure()) {
        distrust(connection_->failure()->message);
        connection_->clear_failure();
    }
    incarnation_.rolled_back();
    tables_.clock.rolled_back();
    tables_.live.rollback();
    tables_.journal.roll_back();
    sweeper_.begin_round();
    holds_.begin_round();
    connection_->clear_failure();  // a page that the sweeper needs; it goes on from what it knew
    for (const auto ticket : batch.enqueued) tables_.room.remove(ticket);
}

void SqliteStore::publish(Batch& batch, std::vector<Routed>& out) {
    for (auto& [ticket, answer] : batch.outcomes) {
        const auto* waiting = tables_.room.find(ticket);
        FG_CHECK(waiting != nullptr);
        if (answer.error) advise(waiting->command.operation, *answer.error);
        out.push_back({waiting->home, {ticket, std::move(answer)}});
        tables_.room.remove(ticket);
    }
    if (!batch.events.empty()) observer_.on_events(batch.events);
    // Who stands in line makes no event yet, and who is turned away there may make none.
    if (!batch.events.empty() || lines_moved(batch)) publish_levels();
    if (!batch.contentions.empty()) observer_.on_contentions(batch.contentions);
    if (!batch.notices.empty()) observer_.on_notices(std::move(batch.notices));
    observer_.on_batch(stats_);
}

void SqliteStore::count_held(const std::vector<StoreEvent>& events) {
    for (const auto& event : events) {
        if (const auto* acquired = std::get_if<AcquireEvent>(&event)) {
            if (acquired->outcome == AcquireEvent::Outcome::Granted) ++held_[acquired->lock_class];
        } else if (const auto* ended = std::get_if<LeaseEndEvent>(&event)) {
            --held_[ended->lock_class];
        }
    }
}

void SqliteStore::publish_levels() {
    for (std::size_t lock_class = 0; lock_class < held_.size(); ++lock_class) {
        observer_.on_levels(lock_class,
                            {.held = held_[lock_class],
                             .waiting = tables_.room.count(lock_class),
                             .oldest_waiter_since = tables_.room.oldest_since(lock_class)});
    }
}

}  // namespace fencegate::storage
