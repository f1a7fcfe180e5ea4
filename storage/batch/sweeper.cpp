#include "storage/batch/sweeper.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {
namespace {

using std::chrono::hours;

constexpr Duration kNoteEvery{60'000};
constexpr Duration kPause{20};  // between two rounds of an idle store

}  // namespace

Sweeper::Sweeper(UpkeepRows& rows, const Retention& retention, BootTime now)
    : rows_(rows),
      retention_(retention),
      counted_at_(now),
      note_at_(now + kNoteEvery),
      resume_at_(now + kPause) {
    ran_ = rows_.running();
    begin_round();
}

void Sweeper::begin_round() {
    hour_ = rows_.hour().value_or(hour_);
    answers_left_ = true;
    leases_left_ = true;
    leases_after_ = 0;
    const auto old_hour = hour_ - retention_.history.count() - 1;
    leases_until_ = rows_.last_token_of(old_hour);
}

void Sweeper::count_hours(BootTime now) {
    ran_ += now - std::exchange(counted_at_, now);
    if (ran_ >= hours(1)) {
        end_hour();
    } else if (now < note_at_) {
        return;
    }
    note_running(now);
}

void Sweeper::end_hour() {
    ran_ = ran_.zero();
    rows_.end_hour(hour_);
    // The round that begins now asks for the oldest that is left, and rounds to come for later
    // ones.
    rows_.forget_hours_before(hour_ - retention_.history.count());
    begin_round();
}

void Sweeper::note_running(BootTime now) {
    ran_ = std::min<BootTime::duration>(ran_ + (now - std::exchange(counted_at_, now)),
                                        hours(1) - Duration(1));
    note_at_ = now + kNoteEvery;
    rows_.note_running(std::chrono::duration_cast<Duration>(ran_));
}

BootTime Sweeper::next_count() const noexcept {
    return std::min<BootTime>(counted_at_ + (hours(1) - ran_), note_at_);
}

Swept Sweeper::sweep(std::size_t budget, BootTime now, const lockmgr::Holdings& holdings) {
    Swept swept;
    if (answers_left_) swept.answers = sweep_answers(budget);
    if (leases_left_) swept.leases = sweep_leases(budget, holdings);
    resume_at_ = answers_left_ || leases_left_ ? now + kPause : next_count();
    return swept;
}

void Sweeper::stay_awake(BootTime now) { resume_at_ = std::min(resume_at_, now + kPause); }

// The oldest come first: one that is young enough ends the round.
std::size_t Sweeper::sweep_answers(std::size_t budget) {
    std::size_t removed = 0;
    for (const auto& answer : rows_.oldest_answers(budget)) {
        if (answer.hour + retention_.idempotency.count() >= hour_) break;
        rows_.forget_answer(answer.id);
        ++removed;
    }
    answers_left_ = removed == budget;
    return removed;
}

std::size_t Sweeper::sweep_leases(std::size_t budget, const lockmgr::Holdings& holdings) {
    bool is_end = false;
    std::size_t removed = 0;
    for (const auto& lease : old_leases(budget, is_end)) {
        if (is_head_of_held(lease, holdings)) continue;
        rows_.forget(lease);
        ++removed;
    }
    leases_left_ = !is_end;
    return removed;
}

// A reader or a user of a semaphore can outlive whoever came after it.
bool Sweeper::is_head_of_held(const OldLease& lease, const lockmgr::Holdings& holdings) {
    return std::ranges::any_of(rows_.headed_by(lease), [&](const lockmgr::LockName& lock) {
        return holdings.find(lock) != nullptr;
    });
}

// Leases end in another order than they begin, so the young among the old are passed over.
std::vector<OldLease> Sweeper::old_leases(std::size_t budget, bool& is_end) {
    auto leases = rows_.leases_between(leases_after_, leases_until_, budget);
    is_end = leases.size() < budget;
    if (!leases.empty()) leases_after_ = leases.back().token.value();
    std::erase_if(leases, [this](const OldLease& lease) {
        return lease.state == lockmgr::LeaseState::Live ||
               lease.ended_hour + retention_.history.count() >= hour_;
    });
    return leases;
}

}  // namespace fencegate::storage
