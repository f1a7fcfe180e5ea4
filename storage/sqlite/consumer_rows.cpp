#include "storage/sqlite/consumer_rows.hpp"

namespace fencegate::storage::sqlite {

ConsumerRows::ConsumerRows(Connection& connection)
    : find_(connection,
            "SELECT principal, position, acknowledged_at_ms FROM event_consumers WHERE name = ?"),
      count_(connection, "SELECT count(*) FROM event_consumers WHERE principal = ?"),
      put_(connection,
           "INSERT INTO event_consumers (name, principal, position, acknowledged_at_ms) "
           "VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET principal = excluded.principal, "
           "position = excluded.position, "
           "acknowledged_at_ms = excluded.acknowledged_at_ms"),
      erase_(connection, "DELETE FROM event_consumers WHERE name = ?") {}

std::optional<Consumer> ConsumerRows::find(const std::string& name) {
    auto row = find_.query(name);
    if (!row.next()) return std::nullopt;
    return Consumer{name, std::string(row.text(0)), row.integer(1),
                    WallTime(std::chrono::milliseconds(row.integer(2)))};
}

std::int64_t ConsumerRows::count_of(const std::string& principal) {
    auto row = count_.query(principal);
    return row.next() ? row.integer(0) : 0;
}

void ConsumerRows::write(const Changes& changes) {
    for (const auto& consumer : changes.consumers)
        put_.run(consumer.name, consumer.principal, consumer.position,
                 consumer.acknowledged_at.time_since_epoch().count());
    for (const auto& name : changes.forgotten_consumers) erase_.run(name);
}

}  // namespace fencegate::storage::sqlite
