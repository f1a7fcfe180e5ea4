#include "storage/postgres/ownership.hpp"

#include <utility>

namespace fencegate::storage::postgres {
namespace {

// In this order. The epoch's row keeps others who take over waiting. A gateway that was stopped in
// the middle of its transaction holds its fence until its backend is ended: no time-out of the
// server sees it. By name, not by number: numbers of processes are used again.
constexpr const char* kNewEpoch =
    "UPDATE cluster SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch";
constexpr const char* kEndOwner =
    "SELECT count(pg_terminate_backend(activity.pid)) FROM partitions "
    "JOIN pg_stat_activity AS activity ON activity.application_name = partitions.owner "
    "WHERE partitions.id = 0 AND partitions.owner <> $1 AND activity.datname = current_database()";
constexpr const char* kMove =
    "UPDATE partitions SET owner = $1, epoch = $2::bigint WHERE id = 0 RETURNING epoch";

}  // namespace

Result<Ownership> take_over(Session& connection, std::string session) {
    if (auto begun = connection.run("BEGIN"); !begun) return std::unexpected(begun.error());
    auto epoch = connection.ask(kNewEpoch, {});
    if (!epoch) return std::unexpected(epoch.error());
    if (!epoch->next()) return fail(ErrorCode::Internal, "The store has no row of its cluster.");
    Ownership ownership{std::move(session), epoch->integer(0)};
    if (const auto ended = connection.ask(kEndOwner, {ownership.session}); !ended)
        return std::unexpected(ended.error());
    auto moved = connection.ask(kMove, {ownership.session, std::to_string(ownership.epoch)});
    if (!moved) return std::unexpected(moved.error());
    if (!moved->next()) return fail(ErrorCode::Internal, "The store has no row of its owner.");
    if (auto done = connection.run("COMMIT"); !done) return std::unexpected(done.error());
    return ownership;
}

}  // namespace fencegate::storage::postgres
