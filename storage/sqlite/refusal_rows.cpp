#include "storage/sqlite/refusal_rows.hpp"

namespace fencegate::storage::sqlite {

using lockmgr::FencingToken;

RefusalRows::RefusalRows(Connection& connection)
    : count_(connection, "SELECT refused FROM leases WHERE token = ?"),
      insert_(connection,
              "INSERT INTO refusals (token, number, at_ms, principal, code, route, request_id, "
              "late_ms, current_token, current_owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      find_(connection,
            "SELECT at_ms, principal, code, route, request_id, late_ms, current_token, "
            "current_owner FROM refusals WHERE token = ? ORDER BY number LIMIT ?") {}

void RefusalRows::write(const Changes& changes) {
    for (const auto& [token, number, refused] : changes.refusals)
        insert_.run(token.value(), number, refused.at.time_since_epoch().count(), refused.principal,
                    refused.code, refused.route, refused.request_id, refused.late_ms,
                    or_zero(refused.current_token), refused.current_owner);
}

std::int64_t RefusalRows::count(FencingToken token) {
    auto row = count_.query(token.value());
    return row.next() ? row.integer(0) : 0;
}

std::vector<RefusedWrite> RefusalRows::of(FencingToken token, std::int64_t limit) {
    std::vector<RefusedWrite> writes;
    auto row = find_.query(token.value(), limit);
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

}  // namespace fencegate::storage::sqlite
