#include "storage/sqlite/lease_rows.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockMode;
using lockmgr::LockName;

#define FG_LEASE_COLUMNS                                                                \
    "token, lease_id, lock, principal, owner, ttl_ms, metadata, granted_at_ms, state, " \
    "ended_at_ms, mode, permits, lock_count, granted_steady_ms, ended_steady_ms"

LeaseRows::LeaseRows(Connection& connection, const StoreClock& clock)
    : clock_(clock),
      read_counter_(connection, "SELECT epoch, sequence FROM store WHERE id = 1"),
      write_counter_(connection, "UPDATE store SET epoch = ?, sequence = ? WHERE id = 1"),
      insert_(connection,
              "INSERT INTO leases (token, lease_id, lock, principal, owner, ttl_ms, metadata, "
              "granted_steady_ms, granted_at_ms, mode, permits, lock_count, previous) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_further_(connection,
                      "INSERT INTO lease_locks (token, lock, previous) VALUES (?, ?, ?)"),
      find_(connection, "SELECT " FG_LEASE_COLUMNS " FROM leases WHERE token = ?"),
      find_further_(connection, "SELECT lock FROM lease_locks WHERE token = ? ORDER BY lock"),
      find_head_(connection,
                 "SELECT last_token, coalesce(state, 3), mode FROM locks LEFT JOIN leases ON token "
                 "= last_token "
                 "WHERE name = ?"),
      insert_head_(connection, "INSERT INTO locks (name, last_token) VALUES (?, ?)"),
      update_head_(connection, "UPDATE locks SET last_token = ? WHERE name = ?"),
      supersede_(connection, "UPDATE leases SET state = 2 WHERE token = ? AND state = 1"),
      set_ttl_(connection, "UPDATE leases SET ttl_ms = ? WHERE token = ?"),
      end_(connection,
           "UPDATE leases SET state = ?, ended_at_ms = ?, ended_hour = ?, ended_steady_ms = ? "
           "WHERE token = ? AND state = 0"),
      note_break_reason_(connection, "UPDATE leases SET break_reason = ? WHERE token = ?"),
      note_refused_(connection, "UPDATE leases SET refused = ? WHERE token = ?"),
      break_reason_(connection, "SELECT break_reason FROM leases WHERE token = ?"),
      all_live_(connection,
                "SELECT " FG_LEASE_COLUMNS " FROM leases WHERE state = 0 ORDER BY token"),
      oldest_live_(connection, "SELECT " FG_LEASE_COLUMNS
                               " FROM leases WHERE state = 0 ORDER BY token LIMIT ?"),
      before_(connection,
              "SELECT previous FROM leases WHERE token = ?1 AND lock = ?2 UNION ALL "
              "SELECT previous FROM lease_locks WHERE token = ?1 AND lock = ?2"),
      names_(connection,
             "SELECT name FROM locks WHERE name > ?1 AND name >= ?2 ORDER BY name LIMIT ?3") {}

std::optional<lockmgr::TokenCounter> LeaseRows::counter() {
    auto row = read_counter_.query();
    if (!row.next()) return std::nullopt;
    return lockmgr::TokenCounter{row.integer(0), row.integer(1)};
}

void LeaseRows::write(const Changes& changes) {
    if (changes.counter) write_counter_.run(changes.counter->epoch, changes.counter->sequence);
    for (const auto& granted : changes.granted) insert(granted);
    for (const auto& [lock, token, is_first] : changes.heads) {
        if (is_first) {
            insert_head_.run(lock.value(), token);
        } else {
            update_head_.run(token, lock.value());
        }
    }
    for (const auto& changed : changes.leases) change(changed);
}

void LeaseRows::insert(const NewLease& granted) {
    const auto& lease = granted.lease;
    insert_.run(lease.token, Blob(lease.id.bytes), lease.locks.front().value(), lease.principal,
                lease.owner, lease.ttl.count(), lease.metadata_json,
                clock_.steady_ms(lease.held_since), lease.granted_at.time_since_epoch().count(),
                static_cast<std::int64_t>(lease.claim.mode), lease.claim.permits,
                static_cast<std::int64_t>(lease.locks.size()), or_zero(granted.before.front()));
    for (std::size_t at = 1; at < lease.locks.size(); ++at)
        insert_further_.run(lease.token, lease.locks[at].value(), or_zero(granted.before[at]));
}

void LeaseRows::change(const LeaseChange& change) {
    const auto token = change.token.value();
    if (change.ttl) set_ttl_.run(change.ttl->count(), token);
    if (const auto& end = change.end) {
        end_.run(static_cast<std::int64_t>(end->how), end->at.wall.time_since_epoch().count(),
                 end->at.hour, clock_.steady_ms(end->at.now), token);
        if (!end->break_reason.empty()) note_break_reason_.run(end->break_reason, token);
    }
    if (change.is_superseded) supersede_.run(token);
    if (change.refused) note_refused_.run(*change.refused, token);
}

ChainHead LeaseRows::head(const LockName& lock) {
    auto row = find_head_.query(lock.value());
    if (!row.next()) return {};
    return {row.token(0), static_cast<LeaseState>(row.integer(1)),
            static_cast<LockMode>(row.integer(2))};
}

std::optional<Lease> LeaseRows::read(Statement::Row& row) {
    if (!row.next()) return std::nullopt;
    Uuid id;
    const auto id_bytes = row.blob(1);
    FG_CHECK(id_bytes.size() == id.bytes.size());
    std::ranges::copy(id_bytes, id.bytes.begin());
    Lease lease{.token = FencingToken(row.integer(0)),
                .id = id,
                .locks = {LockName::from_store(row.text(2))},
                .claim = {static_cast<LockMode>(row.integer(10)), row.integer(11)},
                .principal = std::string(row.text(3)),
                .owner = std::string(row.text(4)),
                .ttl = Duration(row.integer(5)),
                .metadata_json = std::string(row.text(6)),
                .granted_at = WallTime(std::chrono::milliseconds(row.integer(7))),
                .state = static_cast<LeaseState>(row.integer(8)),
                .ended_at = WallTime(std::chrono::milliseconds(row.integer(9)))};
    lease.held_since =
        row.is_null(13) ? clock_.when(lease.granted_at) : clock_.when(row.integer(13));
    lease.ended_since =
        row.is_null(14) ? clock_.when(lease.ended_at) : clock_.when(row.integer(14));
    if (row.integer(12) > 1) read_further_locks(lease);
    return lease;
}

void LeaseRows::read_further_locks(Lease& lease) {
    auto row = find_further_.query(lease.token.value());
    while (row.next()) lease.locks.push_back(LockName::from_store(row.text(0)));
}

std::optional<Lease> LeaseRows::find(FencingToken token) {
    auto row = find_.query(token.value());
    return read(row);
}

std::string LeaseRows::break_reason(FencingToken token) {
    auto row = break_reason_.query(token.value());
    return row.next() ? std::string(row.text(0)) : std::string();
}

std::vector<Lease> LeaseRows::all_live() {
    std::vector<Lease> live;
    auto row = all_live_.query();
    while (auto lease = read(row)) live.push_back(*std::move(lease));
    return live;
}

std::vector<Lease> LeaseRows::oldest_live(int limit) {
    std::vector<Lease> live;
    auto row = oldest_live_.query(std::int64_t{limit});
    while (auto lease = read(row)) live.push_back(*std::move(lease));
    return live;
}

std::optional<FencingToken> LeaseRows::before(FencingToken token, const LockName& lock) {
    auto row = before_.query(token.value(), lock.value());
    if (!row.next()) return std::nullopt;
    return row.token(0);
}

std::vector<LockName> LeaseRows::names(std::string_view prefix, std::string_view after, int limit) {
    std::vector<LockName> names;
    auto row = names_.query(after, prefix, std::int64_t{limit});
    while (row.next() && row.text(0).starts_with(prefix))
        names.push_back(LockName::from_store(row.text(0)));
    return names;
}

}  // namespace fencegate::storage::sqlite
