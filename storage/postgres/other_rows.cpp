// Elections, runs, answers, consumers, and what forgetting needs.
#include "base/check.hpp"
#include "storage/postgres/postgres_rows.hpp"

#include <algorithm>

namespace fencegate::storage::postgres {

using lockmgr::LeaseState;
using lockmgr::LockName;

namespace {

constexpr std::string_view kUnreadable =
    "The answer kept under this Idempotency-Key cannot be read, and nothing was done now. An "
    "operator should look at the store.";

WallTime time_in(const Rows& row, int column) {
    return WallTime(std::chrono::milliseconds(row.integer(column)));
}

std::optional<WallTime> time_or_null(const Rows& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return time_in(row, column);
}

#define FG_RUN_COLUMNS "job, slot, state, attempts, token, claimed_at_ms, ended_at_ms, result"

Run run_of(const Rows& row) {
    return {.job = std::string(row.text(0)),
            .slot = std::string(row.text(1)),
            .state = static_cast<lockmgr::RunState>(row.integer(2)),
            .attempts = row.integer(3),
            .token = row.token(4),
            .claimed_at = time_or_null(row, 5),
            .ended_at = time_or_null(row, 6),
            .result = std::string(row.text(7))};
}

}  // namespace

ElectionRows::ElectionRows(Connection& connection)
    : connection_(connection),
      find_("SELECT token, value, proclaimed_at_ms FROM elections WHERE name = $1") {}

std::optional<Proclamation> ElectionRows::find(std::string_view election) {
    auto row = connection_.ask(find_, election);
    if (!row.next()) return std::nullopt;
    return Proclamation{
        .token = row.token(0), .value_json = std::string(row.text(1)), .at = time_in(row, 2)};
}

RunRows::RunRows(Connection& connection)
    : connection_(connection),
      find_("SELECT " FG_RUN_COLUMNS " FROM runs WHERE job = $1 AND slot = $2"),
      list_("SELECT " FG_RUN_COLUMNS
            " FROM runs WHERE job = $1 AND ($2 = '' OR slot < $2) ORDER BY slot DESC LIMIT $3") {}

std::optional<Run> RunRows::find(std::string_view job, std::string_view slot) {
    auto row = connection_.ask(find_, job, slot);
    if (!row.next()) return std::nullopt;
    return run_of(row);
}

std::vector<Run> RunRows::list(std::string_view job, std::string_view before, int limit) {
    std::vector<Run> runs;
    auto row = connection_.ask(list_, job, before, std::int64_t{limit});
    while (row.next()) runs.push_back(run_of(row));
    return runs;
}

AnswerRows::AnswerRows(Connection& connection)
    : connection_(connection),
      find_(
          "SELECT principal, key, fingerprint, token, error_code, body, resource_id, request_id, "
          "version, fingerprint_version, kind, operation, created_at_ms, released "
          "FROM answers WHERE key_digest = $1") {}

std::optional<StoredAnswer> AnswerRows::find(std::string_view principal,
                                             const Idempotency& idempotency) {
    auto row = connection_.ask(find_, Blob(idempotency.digest));
    if (!row.next()) return std::nullopt;
    StoredAnswer answer;
    const auto fingerprint = row.blob(2);
    FG_CHECK(fingerprint.size() == answer.fingerprint.size());
    std::ranges::copy(fingerprint, answer.fingerprint.begin());
    answer.is_foreign = row.text(0) != principal || row.text(1) != idempotency.key;
    answer.token = row.token(3);
    answer.body = row.text(5);
    if (!row.is_null(4)) {
        answer.error = stored_refusal(row.text(4));
        if (!answer.error) {
            answer.error = ErrorCode::Internal;
            answer.body = kUnreadable;
        }
    }
    answer.resource_id = row.text(6);
    answer.request_id = row.text(7);
    answer.version = row.integer(8);
    answer.fingerprint_version = row.integer(9);
    answer.kind = static_cast<AnswerKind>(row.integer(10));
    answer.operation = row.text(11);
    answer.created_at = time_in(row, 12);
    answer.is_released = row.integer(13) != 0;
    return answer;
}

ConsumerRows::ConsumerRows(Connection& connection)
    : connection_(connection),
      find_("SELECT principal, position, acknowledged_at_ms FROM event_consumers WHERE name = $1"),
      count_("SELECT count(*) FROM event_consumers WHERE principal = $1") {}

std::optional<Consumer> ConsumerRows::find(const std::string& name) {
    auto row = connection_.ask(find_, name);
    if (!row.next()) return std::nullopt;
    return Consumer{name, std::string(row.text(0)), row.integer(1), time_in(row, 2)};
}

std::int64_t ConsumerRows::count_of(const std::string& principal) {
    auto row = connection_.ask(count_, principal);
    return row.next() ? row.integer(0) : 0;
}

UpkeepRows::UpkeepRows(Connection& connection)
    : connection_(connection),
      hour_("SELECT coalesce(max(hour) + 1, 0) FROM hours"),
      running_("SELECT ms FROM running_hour WHERE id = 1"),
      last_token_("SELECT last_token FROM hours WHERE hour = $1"),
      oldest_answers_("SELECT id, created_hour FROM answers ORDER BY id LIMIT $1"),
      leases_(
          "SELECT token, lock, state, ended_hour, (lock_count > 1 OR refused > 0)::int "
          "FROM leases WHERE token > $1 AND token <= $2 ORDER BY token LIMIT $3"),
      headed_by_(
          "SELECT name FROM locks WHERE name = $2 AND last_token = $1 UNION ALL "
          "SELECT name FROM lease_locks JOIN locks ON name = lock "
          "WHERE token = $1 AND last_token = $1") {}

std::optional<std::int64_t> UpkeepRows::hour() {
    auto row = connection_.ask(hour_);
    if (!row.next()) return std::nullopt;
    return row.integer(0);
}

Duration UpkeepRows::running() {
    auto row = connection_.ask(running_);
    return Duration(row.next() ? row.integer(0) : 0);
}

std::int64_t UpkeepRows::last_token_of(std::int64_t hour) {
    auto row = connection_.ask(last_token_, hour);
    return row.next() ? row.integer(0) : 0;
}

std::vector<UpkeepRows::OldAnswer> UpkeepRows::oldest_answers(std::size_t limit) {
    std::vector<OldAnswer> answers;
    auto row = connection_.ask(oldest_answers_, static_cast<std::int64_t>(limit));
    while (row.next()) answers.push_back({row.integer(0), row.integer(1)});
    return answers;
}

std::vector<OldLease> UpkeepRows::leases_between(std::int64_t after, std::int64_t until,
                                                 std::size_t limit) {
    std::vector<OldLease> leases;
    auto row = connection_.ask(leases_, after, until, static_cast<std::int64_t>(limit));
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
    auto row = connection_.ask(headed_by_, lease.token, lease.lock.value());
    while (row.next()) locks.push_back(LockName::from_store(row.text(0)));
    return locks;
}

}  // namespace fencegate::storage::postgres
