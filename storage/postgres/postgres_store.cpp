#include "storage/postgres/postgres_store.hpp"

#include "storage/postgres/migrations.hpp"

#include <utility>

namespace fencegate::storage::postgres {
namespace {

Result<std::optional<ClockAnchor>> read_anchor(Session& session) {
    auto has_row =
        session.ask("SELECT 1 WHERE to_regclass('fencegate.store_clock') IS NOT NULL", {});
    if (!has_row) return std::unexpected(std::move(has_row.error()));
    if (!has_row->next()) return std::nullopt;
    auto row = session.ask("SELECT boot_id, boot_ms, steady_ms, wall_ms FROM store_clock", {});
    if (!row) return std::unexpected(std::move(row.error()));
    if (!row->next()) return std::nullopt;
    return ClockAnchor{.boot_id = std::string(row->text(0)),
                       .boot_ms = row->integer(1),
                       .steady_ms = row->integer(2),
                       .wall = WallTime(std::chrono::milliseconds(row->integer(3)))};
}

}  // namespace

Result<PostgresStore::Parts> PostgresStore::prepare(const std::string& url, const std::string& name,
                                                    const BeforeWriting& before_writing) {
    auto server = ServerUrl::parse(url);
    if (!server) return std::unexpected(std::move(server.error()));
    auto session = Session::open(*server, name);
    if (!session) return std::unexpected(std::move(session.error()));
    const auto before = read_anchor(*session);
    if (!before) return std::unexpected(before.error());
    if (before_writing) {
        if (auto done = before_writing(*before); !done)
            return std::unexpected(std::move(done.error()));
    }
    if (auto done = migrate(*session); !done) return std::unexpected(std::move(done.error()));
    auto ownership = take_over(*session, name);
    if (!ownership) return std::unexpected(std::move(ownership.error()));
    // Who was deposed may have written until then.
    auto anchor = read_anchor(*session);
    if (!anchor) return std::unexpected(std::move(anchor.error()));
    return Parts{*std::move(server), *std::move(session), *std::move(ownership),
                 *std::move(anchor)};
}

PostgresStore::PostgresStore(Parts parts, const Clock& clock)
    : clock_(clock),
      connection_(std::move(parts.url), std::move(parts.session), std::move(parts.ownership)),
      time_(parts.anchor, clock),
      leases_(connection_, time_),
      refusals_(connection_),
      elections_(connection_),
      runs_(connection_),
      payments_(connection_),
      ledger_(connection_),
      entries_(connection_),
      answers_(connection_),
      consumers_(connection_),
      upkeep_(connection_),
      writer_(connection_, time_) {}

Store::Commit PostgresStore::commit(std::size_t) {
    Commit made{.wrote = connection_.has_written()};
    if (made.wrote) {
        if (const auto anchor = time_.due(clock_.boot_now())) writer_.write(*anchor);
    }
    if (connection_.commit()) time_.committed();
    return made;
}

void PostgresStore::roll_back() {
    connection_.roll_back();
    time_.rolled_back();
}

Result<std::unique_ptr<StoreCopy>> PostgresStore::begin_copy(const std::filesystem::path&) {
    return fail(ErrorCode::Internal,
                "The store is in PostgreSQL: back it up there, with pg_basebackup or pg_dump.");
}

}  // namespace fencegate::storage::postgres
