// What the store does although nobody asks: sweeping, expiring holds, looking for deadlocks,
// checkpoints; and when it must wake up for that.
#include "storage/batch/batcher.hpp"
#include "storage/commands/lock_queries.hpp"

#include <algorithm>
#include <tuple>

namespace fencegate::storage {
namespace {

constexpr std::size_t kSweptPerBatchMin = 16;
constexpr int kHoldsPerBatch = 64;

}  // namespace

void Batcher::sweep(Unit& unit, std::size_t commands) {
    for (const auto& at : {retry_at_, upkeep_at_}) {
        if (at && unit.now < *at) return;
    }
    if (sweeper_.next() > unit.now && commands == 0) return;
    const auto hour = sweeper_.hour();
    sweeper_.count_hours(unit);
    end_step(unit, Upkeep{});
    // Since something was left out, an hour is committed before anything is swept, or it would be
    // taken back with that each time.
    if (upkeep_at_ && sweeper_.hour() != hour) return sweeper_.stay_awake(unit.now);
    const auto swept = sweeper_.sweep(unit, std::max(kSweptPerBatchMin, 2 * commands));
    stats_.swept_answers = swept.answers;
    stats_.swept_leases = swept.leases;
    end_step(unit, Upkeep{});
    expire_holds(unit);
}

void Batcher::expire_holds(Unit& unit) {
    const auto hour = sweeper_.hour();
    if (!holds_.is_due(hour)) return;
    const auto payments = holds_.next(unit, hour, kHoldsPerBatch);
    end_step(unit, Upkeep{});
    for (const auto& payment : payments) {
        if (unit.has_failed()) return;
        holds_.expire(unit, payment);
        end_step(unit, HeldPayment{payment});
    }
    if (holds_.is_due(hour)) sweeper_.stay_awake(unit.now);
}

void Batcher::look_for_deadlocks(Unit& unit) {
    if (!deadlock_look_at_ || unit.now < *deadlock_look_at_) return;
    deadlock_look_at_.reset();
    observer_.on_deadlocks(count_deadlocks(unit));
}

Moment Batcher::begin_moment() {
    const auto now = clock_.boot_now();
    return {now, look_at_clock(now), sweeper_.hour()};
}

WallTime Batcher::look_at_clock(BootTime now) {
    const auto wall = store_->look(now);
    const auto& believed = store_->wall();
    if (!told_offset_ || *told_offset_ != believed.offset()) {
        told_offset_ = believed.offset();
        observer_.on_clock(believed.offset());
    }
    if (believed.jump()) observer_.on_clock_jump(*believed.jump());
    return wall;
}

std::optional<BootTime> Batcher::next_deadline() const {
    const auto sooner = [](std::optional<BootTime> left, std::optional<BootTime> right) {
        if (!left || !right) return left ? left : right;
        return std::optional(std::min(*left, *right));
    };
    auto due =
        sooner(standing_.live.expiries().next_deadline(), standing_.live.resting().next_deadline());
    if (due && retry_at_) due = std::max(*due, *retry_at_);
    due = sooner(sooner(due, deadlock_look_at_), standing_.live.waiters().next_deadline());
    auto sweep_at = sweeper_.next();
    for (const auto& at : {retry_at_, upkeep_at_}) {
        if (at) sweep_at = std::max(sweep_at, *at);
    }
    return sooner(due, sweep_at);
}

void Batcher::look() { standing_.live.postpone(stalls_.look(clock_.boot_now())); }

bool Batcher::has_deadlines() const noexcept {
    return standing_.live.expiries().size() > 0 || standing_.live.resting().size() > 0;
}

void Batcher::checkpoint_if_grown() {
    if (!store_->wants_checkpoint()) return;
    const auto now = clock_.boot_now();
    if ((retry_at_ && now < *retry_at_) || (checkpoint_at_ && now < *checkpoint_at_)) return;
    note_checkpoint(store_->checkpoint());
}

void Batcher::close() {
    if (fatal_) return;
    Changes changes;
    sweeper_.note_running(changes.upkeep, clock_.boot_now());
    store_->begin();
    store_->write(changes);
    std::ignore = store_->commit(0);
    if (store_->failure()) store_->roll_back();
    store_->clear_failure();
    note_checkpoint(store_->close());
}

void Batcher::note_checkpoint(BootTime::duration took) {
    const auto& failure = store_->failure();
    if (!failure) {
        observer_.on_checkpoint(took);
        return;
    }
    if (failure->kind == Failure::Kind::Full) {
        observer_.on_error(StoreError::Full);
        retry_at_ = clock_.boot_now() + kRetryAfterFull;  // the log keeps everything meanwhile
    } else if (failure->kind == Failure::Kind::Damaged) {
        // A page of the log. It stays there, where a start finds it; serving goes on meanwhile.
        note_damage(failure->message);
        checkpoint_at_ = clock_.boot_now() + kRetryUpkeep;
    } else {
        distrust(failure->message);
    }
    store_->clear_failure();
}

void Batcher::distrust(std::string why) {
    if (!fatal_) observer_.on_error(StoreError::Fatal);
    fatal_ = std::move(why);
}

}  // namespace fencegate::storage
