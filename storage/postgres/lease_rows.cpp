// Leases, their chains, and the record of refused writes.
#include "base/check.hpp"
#include "storage/postgres/postgres_rows.hpp"

#include <algorithm>
#include <limits>

namespace fencegate::storage::postgres {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockMode;
using lockmgr::LockName;

#define FG_LEASE_COLUMNS                                                                \
    "token, lease_id, lock, principal, owner, ttl_ms, metadata, granted_at_ms, state, " \
    "ended_at_ms, mode, permits, granted_steady_ms, ended_steady_ms, "                  \
    "CASE WHEN lock_count > 1 THEN ARRAY(SELECT further.lock FROM lease_locks AS "      \
    "further WHERE further.token = leases.token ORDER BY further.lock) END"

LeaseRows::LeaseRows(Connection& connection, const StoreClock& clock)
    : connection_(connection),
      clock_(clock),
      counter_("SELECT epoch, sequence FROM tokens WHERE id = 1"),
      find_("SELECT " FG_LEASE_COLUMNS " FROM leases WHERE token = $1"),
      break_reason_("SELECT coalesce(break_reason, '') FROM leases WHERE token = $1"),
      head_(
          "SELECT last_token, coalesce(state, 3), coalesce(mode, 0) FROM locks "
          "LEFT JOIN leases ON token = last_token WHERE name = $1"),
      before_(
          "SELECT previous FROM leases WHERE token = $1 AND lock = $2 UNION ALL "
          "SELECT previous FROM lease_locks WHERE token = $1 AND lock = $2"),
      live_("SELECT " FG_LEASE_COLUMNS " FROM leases WHERE state = 0 ORDER BY token LIMIT $1"),
      names_("SELECT name FROM locks WHERE name > $1 AND name >= $2 ORDER BY name LIMIT $3") {}

std::optional<lockmgr::TokenCounter> LeaseRows::counter() {
    auto row = connection_.ask(counter_);
    if (!row.next()) return std::nullopt;
    return lockmgr::TokenCounter{row.integer(0), row.integer(1)};
}

Lease LeaseRows::read(const Rows& row) const {
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
    lease.held_since = clock_.when(row.integer(12));
    lease.ended_since =
        row.is_null(13) ? clock_.when(lease.ended_at) : clock_.when(row.integer(13));
    if (row.is_null(14)) return lease;
    for (const auto name : row.texts(14)) lease.locks.push_back(LockName::from_store(name));
    return lease;
}

std::vector<Lease> LeaseRows::all_of(Rows row) const {
    std::vector<Lease> leases;
    while (row.next()) leases.push_back(read(row));
    return leases;
}

std::optional<Lease> LeaseRows::find(FencingToken token) {
    auto row = connection_.ask(find_, token);
    if (!row.next()) return std::nullopt;
    return read(row);
}

std::string LeaseRows::break_reason(FencingToken token) {
    auto row = connection_.ask(break_reason_, token);
    return row.next() ? std::string(row.text(0)) : std::string();
}

ChainHead LeaseRows::head(const LockName& lock) {
    auto row = connection_.ask(head_, lock.value());
    if (!row.next()) return {};
    return {row.token(0), static_cast<LeaseState>(row.integer(1)),
            static_cast<LockMode>(row.integer(2))};
}

std::optional<FencingToken> LeaseRows::before(FencingToken token, const LockName& lock) {
    auto row = connection_.ask(before_, token, lock.value());
    if (!row.next()) return std::nullopt;
    return row.token(0);
}

std::vector<Lease> LeaseRows::all_live() {
    return all_of(connection_.ask(live_, std::numeric_limits<std::int64_t>::max()));
}

std::vector<Lease> LeaseRows::oldest_live(int limit) {
    return all_of(connection_.ask(live_, std::int64_t{limit}));
}

std::vector<LockName> LeaseRows::names(std::string_view prefix, std::string_view after, int limit) {
    std::vector<LockName> names;
    auto row = connection_.ask(names_, after, prefix, std::int64_t{limit});
    while (row.next() && row.text(0).starts_with(prefix))
        names.push_back(LockName::from_store(row.text(0)));
    return names;
}

RefusalRows::RefusalRows(Connection& connection)
    : connection_(connection),
      count_("SELECT refused FROM leases WHERE token = $1"),
      of_("SELECT at_ms, principal, code, route, request_id, late_ms, current_token, current_owner "
          "FROM refusals WHERE token = $1 ORDER BY number LIMIT $2") {}

std::int64_t RefusalRows::count(FencingToken token) {
    auto row = connection_.ask(count_, token);
    return row.next() ? row.integer(0) : 0;
}

std::vector<RefusedWrite> RefusalRows::of(FencingToken token, std::int64_t limit) {
    std::vector<RefusedWrite> writes;
    auto row = connection_.ask(of_, token, limit);
    while (row.next()) {
        writes.push_back({.at = WallTime(std::chrono::milliseconds(row.integer(0))),
                          .principal = std::string(row.text(1)),
                          .code = std::string(row.text(2)),
                          .route = std::string(row.text(3)),
                          .request_id = std::string(row.text(4)),
                          .late_ms = row.integer(5),
                          .current_token = row.token(6),
                          .current_owner = std::string(row.text(7))});
    }
    return writes;
}

}  // namespace fencegate::storage::postgres
