#include "storage/sqlite/run_rows.hpp"

namespace fencegate::storage::sqlite {
namespace {

std::optional<std::int64_t> ms_of(const std::optional<WallTime>& time) {
    if (!time) return std::nullopt;
    return time->time_since_epoch().count();
}

std::optional<WallTime> time_in(const Statement::Row& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return WallTime(std::chrono::milliseconds(row.integer(column)));
}

}  // namespace

#define FG_RUN_COLUMNS "job, slot, state, attempts, token, claimed_at_ms, ended_at_ms, result"

RunRows::RunRows(Connection& connection)
    : find_(connection, "SELECT " FG_RUN_COLUMNS " FROM runs WHERE job = ? AND slot = ?"),
      put_(connection,
           "INSERT INTO runs (" FG_RUN_COLUMNS
           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
           "ON CONFLICT (job, slot) DO UPDATE SET state = excluded.state, "
           "attempts = excluded.attempts, token = excluded.token, "
           "claimed_at_ms = excluded.claimed_at_ms, ended_at_ms = excluded.ended_at_ms, "
           "result = excluded.result"),
      list_(connection, "SELECT " FG_RUN_COLUMNS
                        " FROM runs WHERE job = ?1 AND (?2 = '' OR slot < ?2) "
                        "ORDER BY slot DESC LIMIT ?3") {}

std::optional<Run> RunRows::find(std::string_view job, std::string_view slot) {
    auto row = find_.query(job, slot);
    if (!row.next()) return std::nullopt;
    return read(row);
}

void RunRows::write(const Changes& changes) {
    for (const auto& run : changes.runs)
        put_.run(run.job, run.slot, static_cast<std::int64_t>(run.state), run.attempts,
                 or_zero(run.token), ms_of(run.claimed_at), ms_of(run.ended_at), run.result);
}

std::vector<Run> RunRows::list(std::string_view job, std::string_view before, int limit) {
    std::vector<Run> runs;
    auto row = list_.query(job, before, std::int64_t{limit});
    while (row.next()) runs.push_back(read(row));
    return runs;
}

Run RunRows::read(const Statement::Row& row) {
    return {.job = std::string(row.text(0)),
            .slot = std::string(row.text(1)),
            .state = static_cast<lockmgr::RunState>(row.integer(2)),
            .attempts = row.integer(3),
            .token = row.token(4),
            .claimed_at = time_in(row, 5),
            .ended_at = time_in(row, 6),
            .result = std::string(row.text(7))};
}

}  // namespace fencegate::storage::sqlite
