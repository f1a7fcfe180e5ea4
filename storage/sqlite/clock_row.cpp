#include "storage/sqlite/clock_row.hpp"

namespace fencegate::storage::sqlite {

ClockRow::ClockRow(Connection& connection)
    : read_(connection,
            "SELECT boot_id, boot_ms, steady_ms, wall_ms FROM store_clock WHERE id = 1"),
      write_(connection,
             "INSERT INTO store_clock (id, boot_id, boot_ms, steady_ms, wall_ms) "
             "VALUES (1, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET boot_id = excluded.boot_id, "
             "boot_ms = excluded.boot_ms, steady_ms = excluded.steady_ms, "
             "wall_ms = excluded.wall_ms") {}

std::optional<ClockAnchor> ClockRow::read() {
    auto row = read_.query();
    if (!row.next()) return std::nullopt;
    return ClockAnchor{.boot_id = std::string(row.text(0)),
                       .boot_ms = row.integer(1),
                       .steady_ms = row.integer(2),
                       .wall = WallTime(std::chrono::milliseconds(row.integer(3)))};
}

void ClockRow::write(const ClockAnchor& anchor) {
    write_.run(anchor.boot_id, anchor.boot_ms, anchor.steady_ms,
               anchor.wall.time_since_epoch().count());
}

}  // namespace fencegate::storage::sqlite
