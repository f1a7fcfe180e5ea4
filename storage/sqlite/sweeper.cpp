#include "storage/sqlite/sweeper.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

using std::chrono::hours;

constexpr Duration kNoteEvery{60'000};
constexpr Duration kPause{20};  // between two rounds of an idle store

}  // namespace

Sweeper::Sweeper(Connection& connection, const Retention& retention, BootTime now)
    : retention_(retention),
      counted_at_(now),
      note_at_(now + kNoteEvery),
      resume_at_(now + kPause),
      read_hour_(connection, "SELECT coalesce(max(hour) + 1, 0) FROM hours"),
      read_running_(connection, "SELECT ms FROM running_hour WHERE id = 1"),
      write_running_(connection, "UPDATE running_hour SET ms = ? WHERE id = 1"),
      write_hour_(connection,
                  "INSERT INTO hours (hour, last_token) "
                  "SELECT ?, (epoch << 43) + sequence FROM store WHERE id = 1"),
      remove_hours_(connection, "DELETE FROM hours WHERE hour < ?"),
      last_token_(connection, "SELECT last_token FROM hours WHERE hour = ?"),
      find_answers_(connection, "SELECT id, created_hour FROM answers ORDER BY id LIMIT ?"),
      remove_answer_(connection, "DELETE FROM answers WHERE id = ?"),
      find_leases_(connection,
                   "SELECT token, lock, state, ended_hour, lock_count > 1 OR refused > 0 "
                   "FROM leases WHERE token > ? AND token <= ? ORDER BY token LIMIT ?"),
      heads_(connection,
             "SELECT name FROM locks WHERE name = ?2 AND last_token = ?1 UNION ALL "
             "SELECT name FROM lease_locks CROSS JOIN locks ON name = lock "
             "WHERE token = ?1 AND last_token = ?1"),
      remove_lease_(connection, "DELETE FROM leases WHERE token = ?"),
      remove_name_(connection, "DELETE FROM locks WHERE name = ? AND last_token = ?"),
      remove_further_names_(connection,
                            "DELETE FROM locks WHERE last_token = ?1 AND name IN "
                            "(SELECT lock FROM lease_locks WHERE token = ?1)"),
      remove_further_(connection, "DELETE FROM lease_locks WHERE token = ?"),
      remove_refusals_(connection, "DELETE FROM refusals WHERE token = ?") {
    auto row = read_running_.query();
    if (row.next()) ran_ = Duration(row.integer(0));
    begin_round();
}

void Sweeper::begin_round() {
    {
        auto row = read_hour_.query();
        if (row.next()) hour_ = row.integer(0);
    }
    answers_left_ = true;
    leases_left_ = true;
    leases_after_ = 0;
    const auto old_hour = hour_ - retention_.history.count() - 1;
    auto row = last_token_.query(old_hour);
    leases_until_ = row.next() ? row.integer(0) : 0;
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
    write_hour_.run(hour_);
    // The round that begins now asks for the oldest that is left, and rounds to come for later
    // ones.
    remove_hours_.run(hour_ - retention_.history.count());
    begin_round();
}

void Sweeper::note_running(BootTime now) {
    ran_ = std::min<BootTime::duration>(ran_ + (now - std::exchange(counted_at_, now)),
                                        hours(1) - Duration(1));
    note_at_ = now + kNoteEvery;
    write_running_.run(std::chrono::duration_cast<Duration>(ran_).count());
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
    std::vector<std::int64_t> old;
    {
        auto row = find_answers_.query(static_cast<std::int64_t>(budget));
        while (row.next() && row.integer(1) + retention_.idempotency.count() < hour_)
            old.push_back(row.integer(0));
    }
    for (const auto id : old) remove_answer_.run(id);
    answers_left_ = old.size() == budget;
    return old.size();
}

std::size_t Sweeper::sweep_leases(std::size_t budget, const lockmgr::Holdings& holdings) {
    bool is_end = false;
    std::size_t removed = 0;
    for (const auto& lease : old_leases(budget, is_end)) {
        if (is_head_of_held(lease, holdings)) continue;
        remove(lease);
        ++removed;
    }
    leases_left_ = !is_end;
    return removed;
}

// A reader or a user of a semaphore can outlive whoever came after it.
bool Sweeper::is_head_of_held(const Old& lease, const lockmgr::Holdings& holdings) {
    auto row = heads_.query(lease.token, lease.lock);
    while (row.next()) {
        if (holdings.find(lockmgr::LockName::from_store(row.text(0))) != nullptr) return true;
    }
    return false;
}

// Leases end in another order than they begin, so the young among the old are passed over.
std::vector<Sweeper::Old> Sweeper::old_leases(std::size_t budget, bool& is_end) {
    std::vector<Old> old;
    std::size_t looked_at = 0;
    auto row = find_leases_.query(leases_after_, leases_until_, static_cast<std::int64_t>(budget));
    while (row.next()) {
        ++looked_at;
        leases_after_ = row.integer(0);
        const bool is_live = row.integer(2) == static_cast<std::int64_t>(lockmgr::LeaseState::Live);
        if (is_live || row.integer(3) + retention_.history.count() >= hour_) continue;
        old.push_back({row.integer(0), std::string(row.text(1)), row.integer(4) != 0});
    }
    is_end = looked_at < budget;
    return old;
}

void Sweeper::remove(const Old& lease) {
    if (lease.has_more_rows) {
        remove_further_names_.run(lease.token);
        remove_further_.run(lease.token);
        remove_refusals_.run(lease.token);
    }
    remove_name_.run(lease.lock, lease.token);
    remove_lease_.run(lease.token);
}

}  // namespace fencegate::storage::sqlite
