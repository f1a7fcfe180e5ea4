#include "storage/postgres/changes_writer.hpp"

namespace fencegate::storage::postgres {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

std::int64_t or_zero(const std::optional<lockmgr::FencingToken>& token) {
    return token ? token->value() : 0;
}

}  // namespace

// What is not set of a change stays; a lease ends once, and only one that has expired is
// superseded.
LockWriter::LockWriter(Connection& connection, const StoreClock& clock)
    : connection_(connection),
      clock_(clock),
      set_counter_("UPDATE tokens SET epoch = $1, sequence = $2 WHERE id = 1"),
      insert_(
          "INSERT INTO leases (token, lease_id, lock, principal, owner, ttl_ms, metadata, "
          "granted_at_ms, granted_steady_ms, mode, permits, lock_count, previous) "
          "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"),
      insert_further_(
          "INSERT INTO lease_locks (token, lock, previous) SELECT * FROM unnest($1, $2, $3)"),
      insert_heads_("INSERT INTO locks (name, last_token) SELECT * FROM unnest($1, $2)"),
      move_heads_(
          "UPDATE locks SET last_token = newest.token FROM unnest($1, $2) AS newest(name, token) "
          "WHERE locks.name = newest.name"),
      change_(
          "UPDATE leases SET ttl_ms = coalesce(made.ttl_ms, leases.ttl_ms), "
          "state = CASE WHEN state = 0 AND how = 1 AND superseded = 1 THEN 2 "
          "WHEN state = 0 AND how IS NOT NULL THEN how "
          "WHEN state = 1 AND superseded = 1 THEN 2 ELSE state END, "
          "ended_at_ms = CASE WHEN state = 0 THEN made.at_ms ELSE ended_at_ms END, "
          "ended_steady_ms = CASE WHEN state = 0 THEN made.steady_ms ELSE ended_steady_ms END, "
          "ended_hour = CASE WHEN state = 0 AND how IS NOT NULL THEN made.hour ELSE ended_hour "
          "END, "
          "break_reason = CASE WHEN state = 0 THEN made.reason ELSE break_reason END, "
          "refused = coalesce(made.refused, leases.refused) "
          "FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS made(token, ttl_ms, how, at_ms, "
          "steady_ms, hour, reason, superseded, refused) WHERE leases.token = made.token"),
      insert_refusals_(
          "INSERT INTO refusals (token, number, at_ms, principal, code, route, request_id, "
          "late_ms, current_token, current_owner) "
          "SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)") {}

void LockWriter::write(const Changes& changes) {
    if (changes.counter)
        connection_.tell(set_counter_, changes.counter->epoch, changes.counter->sequence);
    insert(changes.granted);
    set_heads(changes.heads);
    change(changes.leases);
    insert_refusals(changes.refusals);
}

void LockWriter::insert(const std::vector<NewLease>& granted) {
    if (granted.empty()) return;
    Integers token, ttl, at, steady, mode, permits, count, before;
    Bytes id;
    Texts lock, principal, owner, metadata;
    for (const auto& [lease, previous] : granted) {
        token.add(lease.token);
        id.add(Blob(lease.id.bytes));
        lock.add(lease.locks.front().value());
        principal.add(lease.principal);
        owner.add(lease.owner);
        ttl.add(lease.ttl.count());
        metadata.add(lease.metadata_json);
        at.add(ms(lease.granted_at));
        steady.add(clock_.steady_ms(lease.held_since));
        mode.add(static_cast<std::int64_t>(lease.claim.mode));
        permits.add(lease.claim.permits);
        count.add(static_cast<std::int64_t>(lease.locks.size()));
        before.add(or_zero(previous.front()));
    }
    connection_.tell(insert_, token, id, lock, principal, owner, ttl, metadata, at, steady, mode,
                     permits, count, before);
    insert_further(granted);
}

void LockWriter::insert_further(const std::vector<NewLease>& granted) {
    Integers token, before;
    Texts lock;
    for (const auto& [lease, previous] : granted) {
        for (std::size_t at = 1; at < lease.locks.size(); ++at) {
            token.add(lease.token);
            lock.add(lease.locks[at].value());
            before.add(or_zero(previous[at]));
        }
    }
    if (!token.is_empty()) connection_.tell(insert_further_, token, lock, before);
}

void LockWriter::set_heads(const std::vector<NewHead>& heads) {
    Texts new_name, name;
    Integers new_token, token;
    for (const auto& [lock, newest, is_first] : heads) {
        (is_first ? new_name : name).add(lock.value());
        (is_first ? new_token : token).add(newest);
    }
    if (!new_name.is_empty()) connection_.tell(insert_heads_, new_name, new_token);
    if (!name.is_empty()) connection_.tell(move_heads_, name, token);
}

void LockWriter::change(const std::vector<LeaseChange>& changes) {
    if (changes.empty()) return;
    Integers token, ttl, how, at, steady, hour, superseded, refused;
    Texts reason;
    for (const auto& change : changes) {
        const auto& end = change.end;
        token.add(change.token);
        change.ttl ? ttl.add(change.ttl->count()) : ttl.add_null();
        end ? how.add(static_cast<std::int64_t>(end->how)) : how.add_null();
        end ? at.add(ms(end->at.wall)) : at.add_null();
        end ? steady.add(clock_.steady_ms(end->at.now)) : steady.add_null();
        end ? hour.add(end->at.hour) : hour.add_null();
        end && !end->break_reason.empty() ? reason.add(end->break_reason) : reason.add_null();
        superseded.add(std::int64_t{change.is_superseded});
        refused.add(change.refused);
    }
    connection_.tell(change_, token, ttl, how, at, steady, hour, reason, superseded, refused);
}

void LockWriter::insert_refusals(const std::vector<NewRefusal>& refusals) {
    if (refusals.empty()) return;
    Integers token, number, at, late, current_token;
    Texts principal, code, route, request, current_owner;
    for (const auto& [of, which, write] : refusals) {
        token.add(of);
        number.add(which);
        at.add(ms(write.at));
        principal.add(write.principal);
        code.add(write.code);
        route.add(write.route);
        request.add(write.request_id);
        late.add(write.late_ms);
        current_token.add(or_zero(write.current_token));
        current_owner.add(write.current_owner);
    }
    connection_.tell(insert_refusals_, token, number, at, principal, code, route, request, late,
                     current_token, current_owner);
}

}  // namespace fencegate::storage::postgres
