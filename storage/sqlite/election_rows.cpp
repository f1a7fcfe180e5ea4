#include "storage/sqlite/election_rows.hpp"

namespace fencegate::storage::sqlite {

ElectionRows::ElectionRows(Connection& connection)
    : proclaim_(connection,
                "INSERT INTO elections (name, token, value, proclaimed_at_ms) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET token = excluded.token, value = excluded.value, "
                "proclaimed_at_ms = excluded.proclaimed_at_ms"),
      find_(connection, "SELECT token, value, proclaimed_at_ms FROM elections WHERE name = ?") {}

void ElectionRows::write(const Changes& changes) {
    for (const auto& [name, proclamation] : changes.elections)
        proclaim_.run(name, or_zero(proclamation.token), proclamation.value_json,
                      proclamation.at.time_since_epoch().count());
}

std::optional<Proclamation> ElectionRows::find(std::string_view election) {
    auto row = find_.query(election);
    if (!row.next()) return std::nullopt;
    return Proclamation{.token = row.token(0),
                        .value_json = std::string(row.text(1)),
                        .at = WallTime(std::chrono::milliseconds(row.integer(2)))};
}

}  // namespace fencegate::storage::sqlite
