#include "storage/sqlite/lease_rows.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

#define FG_LEASE_COLUMNS                                                                \
    "token, lease_id, lock, principal, owner, ttl_ms, metadata, granted_at_ms, state, " \
    "ended_at_ms"

LeaseRows::LeaseRows(Connection& connection)
    : read_counter_(connection, "SELECT epoch, sequence FROM store WHERE id = 1"),
      write_counter_(connection, "UPDATE store SET epoch = ?, sequence = ? WHERE id = 1"),
      insert_(connection,
              "INSERT INTO leases (token, lease_id, lock, principal, owner, ttl_ms, metadata, "
              "granted_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
      find_(connection, "SELECT " FG_LEASE_COLUMNS " FROM leases WHERE token = ?"),
      find_live_(connection,
                 "SELECT " FG_LEASE_COLUMNS " FROM leases WHERE lock = ? AND state = 0"),
      is_held_(connection, "SELECT 1 FROM leases WHERE lock = ? AND state = 0"),
      set_ttl_(connection, "UPDATE leases SET ttl_ms = ? WHERE token = ?"),
      end_(connection,
           "UPDATE leases SET state = ?, ended_at_ms = ? WHERE token = ? AND state = 0"),
      note_break_reason_(connection, "UPDATE leases SET break_reason = ? WHERE token = ?"),
      find_expired_(connection, "SELECT token FROM leases WHERE lock = ? AND state = 1"),
      supersede_(connection, "UPDATE leases SET state = 2 WHERE token = ?"),
      all_live_(connection, "SELECT token, lock, ttl_ms FROM leases WHERE state = 0") {}

std::optional<FencingToken> LeaseRows::next_token() {
    std::int64_t epoch = 0;
    std::int64_t sequence = 0;
    {
        auto row = read_counter_.query();
        if (!row.next()) return std::nullopt;
        epoch = row.integer(0);
        sequence = row.integer(1) + 1;
    }
    if (sequence > lockmgr::kTokenSequenceMax) {
        ++epoch;
        sequence = 1;
    }
    // Two plain statements: RETURNING builds a temporary table and costs four times as much. If
    // there is no next token, the row's own constraint refuses and the command is rolled back.
    write_counter_.run(epoch, sequence);
    if (epoch > lockmgr::kTokenEpochMax) return std::nullopt;
    return FencingToken::compose(epoch, sequence);
}

void LeaseRows::insert(const Lease& lease) {
    insert_.run(lease.token.value(), Blob(lease.id.bytes), lease.lock.value(), lease.principal,
                lease.owner, lease.ttl.count(), lease.metadata_json,
                lease.granted_at.time_since_epoch().count());
}

std::optional<Lease> LeaseRows::read(Statement::Row row) {
    if (!row.next()) return std::nullopt;
    Uuid id;
    const auto id_bytes = row.blob(1);
    FG_CHECK(id_bytes.size() == id.bytes.size());
    std::ranges::copy(id_bytes, id.bytes.begin());
    return Lease{.token = FencingToken(row.integer(0)),
                 .id = id,
                 .lock = LockName::from_store(row.text(2)),
                 .principal = std::string(row.text(3)),
                 .owner = std::string(row.text(4)),
                 .ttl = Duration(row.integer(5)),
                 .metadata_json = std::string(row.text(6)),
                 .granted_at = WallTime(std::chrono::milliseconds(row.integer(7))),
                 .state = static_cast<LeaseState>(row.integer(8)),
                 .ended_at = WallTime(std::chrono::milliseconds(row.integer(9)))};
}

std::optional<Lease> LeaseRows::find(FencingToken token) {
    return read(find_.query(token.value()));
}

std::optional<Lease> LeaseRows::find_live(const LockName& lock) {
    return read(find_live_.query(lock.value()));
}

bool LeaseRows::is_held(const LockName& lock) {
    auto row = is_held_.query(lock.value());
    return row.next();
}

void LeaseRows::set_ttl(FencingToken token, Duration ttl) {
    set_ttl_.run(ttl.count(), token.value());
}

void LeaseRows::end(FencingToken token, LeaseState how, WallTime now) {
    end_.run(static_cast<std::int64_t>(how), now.time_since_epoch().count(), token.value());
}

void LeaseRows::note_break_reason(FencingToken token, std::string_view reason) {
    note_break_reason_.run(reason, token.value());
}

void LeaseRows::supersede_expired(const LockName& lock) {
    std::vector<std::int64_t> tokens;
    {
        auto row = find_expired_.query(lock.value());
        while (row.next()) tokens.push_back(row.integer(0));
    }
    for (const auto token : tokens) supersede_.run(token);
}

std::vector<LeaseRows::LiveLease> LeaseRows::all_live() {
    std::vector<LiveLease> live;
    auto row = all_live_.query();
    while (row.next()) {
        live.push_back({FencingToken(row.integer(0)), LockName::from_store(row.text(1)),
                        Duration(row.integer(2))});
    }
    return live;
}

}  // namespace fencegate::storage::sqlite
