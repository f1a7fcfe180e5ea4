#include "storage/batch/sweeper.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {
namespace {

using std::chrono::hours;

constexpr Duration kNoteEvery{60'000};
constexpr Duration kPause{20};  // between two rounds of an idle store

}  // namespace

Sweeper::Sweeper(UpkeepReader& reader, const Retention& retention, BootTime now)
    : retention_(retention),
      state_{.counted_at = now, .note_at = now + kNoteEvery, .resume_at = now + kPause},
      committed_(state_) {
    state_.ran = reader.running();
    begin_round(reader);
    commit();
}

void Sweeper::begin_round(UpkeepReader& reader) {
    state_.hour = reader.hour().value_or(state_.hour);
    state_.answers_left = true;
    state_.leases_left = true;
    state_.leases_after = 0;
    const auto old_hour = state_.hour - retention_.history.count() - 1;
    state_.leases_until = reader.last_token_of(old_hour);
}

void Sweeper::count_hours(Unit& unit) {
    const auto now = unit.now;
    state_.ran += now - std::exchange(state_.counted_at, now);
    if (state_.ran >= hours(1)) {
        end_hour(unit);
    } else if (now < state_.note_at) {
        return;
    }
    note_running(unit.upkeep, now);
}

void Sweeper::end_hour(Unit& unit) {
    state_.ran = state_.ran.zero();
    unit.upkeep.ended_hour = state_.hour;
    // The round that begins now asks for the oldest that is left, and rounds to come for later
    // ones.
    unit.upkeep.forget_hours_before = state_.hour - retention_.history.count();
    begin_round(unit.flushed().upkeep);
}

void Sweeper::note_running(UpkeepChanges& changes, BootTime now) {
    state_.ran = std::min<BootTime::duration>(
        state_.ran + (now - std::exchange(state_.counted_at, now)), hours(1) - Duration(1));
    state_.note_at = now + kNoteEvery;
    changes.running = std::chrono::duration_cast<Duration>(state_.ran);
}

BootTime Sweeper::next_count() const noexcept {
    return std::min<BootTime>(state_.counted_at + (hours(1) - state_.ran), state_.note_at);
}

Swept Sweeper::sweep(Unit& unit, std::size_t budget) {
    Swept swept;
    if (state_.answers_left) swept.answers = sweep_answers(unit, budget);
    if (state_.leases_left) swept.leases = sweep_leases(unit, budget);
    state_.resume_at = state_.answers_left || state_.leases_left ? unit.now + kPause : next_count();
    return swept;
}

void Sweeper::stay_awake(BootTime now) {
    state_.resume_at = std::min(state_.resume_at, now + kPause);
}

// The oldest come first: one that is young enough ends the round.
std::size_t Sweeper::sweep_answers(Unit& unit, std::size_t budget) {
    std::size_t removed = 0;
    for (const auto& answer : unit.flushed().upkeep.oldest_answers(budget)) {
        if (answer.hour + retention_.idempotency.count() >= state_.hour) break;
        unit.upkeep.forgotten_answers.push_back(answer.id);
        ++removed;
    }
    state_.answers_left = removed == budget;
    return removed;
}

std::size_t Sweeper::sweep_leases(Unit& unit, std::size_t budget) {
    auto& reader = unit.flushed().upkeep;  // whoever was refused just now is on record
    bool is_end = false;
    std::size_t removed = 0;
    for (const auto& lease : old_leases(reader, budget, is_end)) {
        // A reader or a user of a semaphore can outlive whoever came after it.
        const auto is_held = [&](const lockmgr::LockName& lock) {
            return unit.live.holdings().find(lock) != nullptr;
        };
        if (std::ranges::any_of(reader.headed_by(lease), is_held)) continue;
        unit.upkeep.forgotten_leases.push_back(lease);
        ++removed;
    }
    state_.leases_left = !is_end;
    return removed;
}

// Leases end in another order than they begin, so the young among the old are passed over.
std::vector<OldLease> Sweeper::old_leases(UpkeepReader& reader, std::size_t budget, bool& is_end) {
    auto leases = reader.leases_between(state_.leases_after, state_.leases_until, budget);
    is_end = leases.size() < budget;
    if (!leases.empty()) state_.leases_after = leases.back().token.value();
    std::erase_if(leases, [this](const OldLease& lease) {
        return lease.state == lockmgr::LeaseState::Live ||
               lease.ended_hour + retention_.history.count() >= state_.hour;
    });
    return leases;
}

}  // namespace fencegate::storage
