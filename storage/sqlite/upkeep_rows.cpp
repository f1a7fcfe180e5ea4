#include "storage/sqlite/upkeep_rows.hpp"

namespace fencegate::storage::sqlite {

using lockmgr::LeaseState;
using lockmgr::LockName;

UpkeepRows::UpkeepRows(Connection& connection)
    : read_hour_(connection, "SELECT coalesce(max(hour) + 1, 0) FROM hours"),
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
      remove_refusals_(connection, "DELETE FROM refusals WHERE token = ?") {}

std::optional<std::int64_t> UpkeepRows::hour() {
    auto row = read_hour_.query();
    if (!row.next()) return std::nullopt;
    return row.integer(0);
}

Duration UpkeepRows::running() {
    auto row = read_running_.query();
    return Duration(row.next() ? row.integer(0) : 0);
}

std::int64_t UpkeepRows::last_token_of(std::int64_t hour) {
    auto row = last_token_.query(hour);
    return row.next() ? row.integer(0) : 0;
}

std::vector<UpkeepRows::OldAnswer> UpkeepRows::oldest_answers(std::size_t limit) {
    std::vector<OldAnswer> answers;
    auto row = find_answers_.query(static_cast<std::int64_t>(limit));
    while (row.next()) answers.push_back({row.integer(0), row.integer(1)});
    return answers;
}

std::vector<OldLease> UpkeepRows::leases_between(std::int64_t after, std::int64_t until,
                                                 std::size_t limit) {
    std::vector<OldLease> leases;
    auto row = find_leases_.query(after, until, static_cast<std::int64_t>(limit));
    while (row.next()) {
        leases.push_back({.token = lockmgr::FencingToken(row.integer(0)),
                          .state = static_cast<LeaseState>(row.integer(2)),
                          .ended_hour = row.integer(3),
                          .lock = LockName::from_store(row.text(1)),
                          .has_more_rows = row.integer(4) != 0});
    }
    return leases;
}

std::vector<LockName> UpkeepRows::headed_by(const OldLease& lease) {
    std::vector<LockName> locks;
    auto row = heads_.query(lease.token, lease.lock.value());
    while (row.next()) locks.push_back(LockName::from_store(row.text(0)));
    return locks;
}

// An hour ends with the token that was issued last: the counter is written before.
void UpkeepRows::write(const UpkeepChanges& changes) {
    if (changes.running) write_running_.run(changes.running->count());
    if (changes.ended_hour) write_hour_.run(*changes.ended_hour);
    if (changes.forget_hours_before) remove_hours_.run(*changes.forget_hours_before);
    for (const auto answer : changes.forgotten_answers) remove_answer_.run(answer);
    for (const auto& lease : changes.forgotten_leases) forget(lease);
}

void UpkeepRows::forget(const OldLease& lease) {
    if (lease.has_more_rows) {
        remove_further_names_.run(lease.token);
        remove_further_.run(lease.token);
        remove_refusals_.run(lease.token);
    }
    remove_name_.run(lease.lock.value(), lease.token);
    remove_lease_.run(lease.token);
}

}  // namespace fencegate::storage::sqlite
