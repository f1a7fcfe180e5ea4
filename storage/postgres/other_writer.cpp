#include "storage/postgres/changes_writer.hpp"

namespace fencegate::storage::postgres {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

std::optional<std::int64_t> ms(const std::optional<WallTime>& time) {
    if (!time) return std::nullopt;
    return ms(*time);
}

std::int64_t or_zero(const std::optional<lockmgr::FencingToken>& token) {
    return token ? token->value() : 0;
}

}  // namespace

OtherWriter::OtherWriter(Connection& connection)
    : connection_(connection),
      put_elections_(
          "INSERT INTO elections (name, token, value, proclaimed_at_ms) "
          "SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE "
          "SET token = excluded.token, value = excluded.value, "
          "proclaimed_at_ms = excluded.proclaimed_at_ms"),
      put_runs_(
          "INSERT INTO runs (job, slot, state, attempts, token, claimed_at_ms, ended_at_ms, "
          "result) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) "
          "ON CONFLICT (job, slot) DO UPDATE SET state = excluded.state, "
          "attempts = excluded.attempts, token = excluded.token, "
          "claimed_at_ms = excluded.claimed_at_ms, ended_at_ms = excluded.ended_at_ms, "
          "result = excluded.result"),
      insert_answers_(
          "INSERT INTO answers (key_digest, principal, key, fingerprint, token, error_code, body, "
          "resource_id, request_id, created_at_ms, created_hour, version, fingerprint_version, "
          "kind, operation, released) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, "
          "$10, $11, $12, $13, $14, $15, $16)"),
      put_consumers_(
          "INSERT INTO event_consumers (name, principal, position, acknowledged_at_ms) "
          "SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE "
          "SET position = excluded.position, acknowledged_at_ms = excluded.acknowledged_at_ms"),
      forget_consumers_("DELETE FROM event_consumers WHERE name = ANY ($1)"),
      set_running_("UPDATE running_hour SET ms = $1 WHERE id = 1"),
      end_hour_(
          "INSERT INTO hours (hour, last_token) "
          "SELECT $1, (epoch << 43) + sequence FROM tokens WHERE id = 1"),
      forget_hours_("DELETE FROM hours WHERE hour < $1"),
      forget_answers_("DELETE FROM answers WHERE id = ANY ($1)"),
      forget_names_(
          "DELETE FROM locks USING unnest($1, $2) AS old(token, lock) "
          "WHERE name = old.lock AND last_token = old.token"),
      forget_further_names_(
          "DELETE FROM locks USING lease_locks "
          "WHERE token = ANY ($1) AND name = lock AND last_token = token"),
      forget_further_("DELETE FROM lease_locks WHERE token = ANY ($1)"),
      forget_refusals_("DELETE FROM refusals WHERE token = ANY ($1)"),
      forget_leases_("DELETE FROM leases WHERE token = ANY ($1)"),
      keep_clock_(
          "INSERT INTO store_clock (id, boot_id, boot_ms, steady_ms, wall_ms) "
          "VALUES (1, $1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET boot_id = excluded.boot_id, "
          "boot_ms = excluded.boot_ms, steady_ms = excluded.steady_ms, "
          "wall_ms = excluded.wall_ms") {}

void OtherWriter::write_roles(const Changes& changes) {
    put_elections(changes.elections);
    put_runs(changes.runs);
}

void OtherWriter::write_rest(const Changes& changes) {
    insert_answers(changes.answers);
    put_consumers(changes.consumers);
    forget_consumers(changes.forgotten_consumers);
    write(changes.upkeep);
}

void OtherWriter::put_elections(const std::vector<ElectionChange>& elections) {
    if (elections.empty()) return;
    Texts name, value;
    Integers token, at;
    for (const auto& [election, proclamation] : elections) {
        name.add(election);
        token.add(or_zero(proclamation.token));
        value.add(proclamation.value_json);
        at.add(ms(proclamation.at));
    }
    connection_.tell(put_elections_, name, token, value, at);
}

void OtherWriter::put_runs(const std::vector<Run>& runs) {
    if (runs.empty()) return;
    Texts job, slot, result;
    Integers state, attempts, token, claimed_at, ended_at;
    for (const auto& run : runs) {
        job.add(run.job);
        slot.add(run.slot);
        state.add(static_cast<std::int64_t>(run.state));
        attempts.add(run.attempts);
        token.add(or_zero(run.token));
        claimed_at.add(ms(run.claimed_at));
        ended_at.add(ms(run.ended_at));
        result.add(run.result);
    }
    connection_.tell(put_runs_, job, slot, state, attempts, token, claimed_at, ended_at, result);
}

void OtherWriter::insert_answers(const std::vector<NewAnswer>& answers) {
    if (answers.empty()) return;
    Bytes digest, fingerprint;
    Texts principal, key, error, body, resource, request, operation;
    Integers token, at, hour, version, fingerprint_version, kind, released;
    for (const auto& made : answers) {
        const auto& answer = made.answer;
        digest.add(Blob(made.idempotency.digest));
        principal.add(made.principal);
        key.add(made.idempotency.key);
        fingerprint.add(Blob(made.idempotency.fingerprint));
        token.add(answer.token);
        answer.error ? error.add(code_name(*answer.error)) : error.add_null();
        body.add(answer.body);
        resource.add(answer.resource_id);
        request.add(answer.request_id);
        at.add(ms(made.at.wall));
        hour.add(made.at.hour);
        version.add(answer.version);
        fingerprint_version.add(answer.fingerprint_version);
        kind.add(static_cast<std::int64_t>(answer.kind));
        operation.add(answer.operation);
        released.add(std::int64_t{answer.is_released});
    }
    connection_.tell(insert_answers_, digest, principal, key, fingerprint, token, error, body,
                     resource, request, at, hour, version, fingerprint_version, kind, operation,
                     released);
}

void OtherWriter::put_consumers(const std::vector<Consumer>& consumers) {
    if (consumers.empty()) return;
    Texts name, principal;
    Integers position, at;
    for (const auto& consumer : consumers) {
        name.add(consumer.name);
        principal.add(consumer.principal);
        position.add(consumer.position);
        at.add(ms(consumer.acknowledged_at));
    }
    connection_.tell(put_consumers_, name, principal, position, at);
}

void OtherWriter::forget_consumers(const std::vector<std::string>& names) {
    if (names.empty()) return;
    Texts name;
    for (const auto& forgotten : names) name.add(forgotten);
    connection_.tell(forget_consumers_, name);
}

// An hour ends with the token that was issued last: the counter is written before.
void OtherWriter::write(const UpkeepChanges& upkeep) {
    if (upkeep.running) connection_.tell(set_running_, std::int64_t{upkeep.running->count()});
    if (upkeep.ended_hour) connection_.tell(end_hour_, *upkeep.ended_hour);
    if (upkeep.forget_hours_before) connection_.tell(forget_hours_, *upkeep.forget_hours_before);
    Integers answer;
    for (const auto id : upkeep.forgotten_answers) answer.add(id);
    if (!answer.is_empty()) connection_.tell(forget_answers_, answer);
    forget_leases(upkeep.forgotten_leases);
}

void OtherWriter::forget_leases(const std::vector<OldLease>& leases) {
    if (leases.empty()) return;
    Integers token, with_more;
    Texts lock;
    for (const auto& lease : leases) {
        token.add(lease.token);
        lock.add(lease.lock.value());
        if (lease.has_more_rows) with_more.add(lease.token);
    }
    if (!with_more.is_empty()) {
        connection_.tell(forget_further_names_, with_more);
        connection_.tell(forget_further_, with_more);
        connection_.tell(forget_refusals_, with_more);
    }
    connection_.tell(forget_names_, token, lock);
    connection_.tell(forget_leases_, token);
}

void OtherWriter::write(const ClockAnchor& anchor) {
    connection_.tell(keep_clock_, anchor.boot_id, anchor.boot_ms, anchor.steady_ms,
                     std::int64_t{anchor.wall.time_since_epoch().count()});
}

}  // namespace fencegate::storage::postgres
