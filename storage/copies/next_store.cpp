#include "storage/copies/next_store.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/disk_failure.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/seal_pages.hpp"
#include "storage/sqlite/tail_note.hpp"
#include "storage/sqlite/verify_store.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;

std::int64_t number(sqlite::Connection& connection, const char* sql) {
    sqlite::Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? row.integer(0) : -1;
}

bool is_of_disk(const sqlite::Connection& connection) {
    return connection.failure() && connection.failure()->kind == sqlite::Failure::Kind::Fatal;
}

Result<> check_epoch(sqlite::Connection& connection, std::int64_t above) {
    if (std::max(number(connection, "SELECT epoch FROM store"), above) < lockmgr::kTokenEpochMax)
        return {};
    return fail_start(StartFailure::BadData,
                      "Epoch " + std::to_string(lockmgr::kTokenEpochMax) +
                          ", the last there is, is used up by the backup, by a store that was in "
                          "this folder or by --epoch-above: no token could be higher than those "
                          "before.");
}

// Opened and read before anything is replaced: a file that is no store replaces none. Returns its
// generation, 0 for one from before there were any.
Result<std::int64_t> check_copy(const fs::path& copy, const fs::path& backup, std::int64_t above) {
    const auto opened = sqlite::Connection::open(copy);
    if (!opened) return std::unexpected(opened.error());
    auto& connection = **opened;
    connection.exec("PRAGMA locking_mode = EXCLUSIVE");  // no index of the log beside it
    const auto stores = number(connection, "SELECT count(*) FROM store");
    const auto knows = number(
        connection, "SELECT count(*) FROM pragma_table_info('store') WHERE name = 'generation'");
    const auto generation = knows > 0 ? number(connection, "SELECT generation FROM store") : 0;
    // Not quick_check, which does not miss a row that an index has lost: an answer that its key
    // does not find any more is a payment that is made twice.
    sqlite::Statement check(connection, "PRAGMA integrity_check(1)");
    auto row = check.query();
    const bool is_sound = stores == 1 && row.next() && row.text(0) == "ok";
    if (is_of_disk(connection)) return sqlite::disk_failed(backup, connection.failure()->message);
    if (!is_sound || connection.failure())
        return fail_start(StartFailure::BadData,
                          backup.string() + " is not a sound fencegate store.");
    if (auto checked = check_epoch(connection, above); !checked)
        return std::unexpected(checked.error());
    return generation;
}

// One transaction: whatever this store is, its tokens are worth nothing from here on, and it is at
// home in the folder of its workshop.
Result<Restored> raise_epoch(const fs::path& folder, std::int64_t above, WallTime now) {
    const auto lock = sqlite::FolderLock::take(folder);
    if (!lock) return std::unexpected(lock.error());
    const auto opened = sqlite::open_database(folder, sqlite::Origin::Anywhere);
    if (!opened) return std::unexpected(opened.error());
    auto& connection = **opened;
    if (auto checked = check_epoch(connection, above); !checked)
        return std::unexpected(checked.error());
    sqlite::Incarnation incarnation(connection, folder);
    connection.exec("BEGIN IMMEDIATE");
    sqlite::Statement(connection, "UPDATE store SET epoch = max(epoch, ?) + 1, sequence = 0")
        .run(above);
    sqlite::Statement end_live(
        connection,
        "UPDATE leases SET state = 4, ended_at_ms = ?, break_reason = 'restored "
        "from a backup', ended_hour = (SELECT coalesce(max(hour) + 1, 0) FROM "
        "hours) WHERE state = 0");
    end_live.run(now.time_since_epoch().count());
    const auto ended = end_live.changes();
    connection.exec("UPDATE leases SET state = 2 WHERE state = 1");
    incarnation.raise();
    connection.exec("COMMIT");
    if (!connection.failure()) incarnation.committed();
    connection.checkpoint(/*truncate=*/true);
    Restored restored{.epoch = number(connection, "SELECT epoch FROM store"),
                      .leases_ended = ended};
    if (is_of_disk(connection))
        return sqlite::disk_failed(folder / "store.db", connection.failure()->message);
    if (!connection.failure()) return restored;
    const bool is_full = connection.failure()->kind == sqlite::Failure::Kind::Full;
    return fail_start(is_full ? StartFailure::CannotCreate : StartFailure::BadData,
                      "The store cannot be restored: " + connection.failure()->message + ".");
}

// With the seals gone, the rows are all that can say whether a page is what it was.
Result<> check_rows(const fs::path& file) {
    const auto report = verify_store(file, {.holds_against_marks = false});
    if (!report) return std::unexpected(report.error());
    for (const auto& check : report->checks) {
        if (check.faults == 0) continue;
        return fail_start(
            StartFailure::BadData,
            "With its pages taken as they are, the store is not sound: " + std::string(check.name) +
                ": " + (check.first.empty() ? std::string() : check.first.front()) + ".");
    }
    return {};
}

void remove_folder(const fs::path& folder) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
}

}  // namespace

Workshop::Workshop(const fs::path& data_dir) : folder_(sqlite::restoring_in(data_dir)) {
    remove_folder(folder_);
}

Workshop::~Workshop() {
    if (!is_kept_) remove_folder(folder_);
}

Result<Restored> make_next_store(const Workshop& workshop, const NextStore& source, WallTime now) {
    if (auto done = make_private_directory(workshop.folder()); !done)
        return std::unexpected(done.error());
    if (auto done = copy_parts(source.parts, source.file, workshop.file()); !done)
        return std::unexpected(done.error());
    const auto resealed =
        source.reseals ? sqlite::seal_as_they_are(workshop.file()) : Result<std::int64_t>(0);
    if (!resealed) return std::unexpected(resealed.error());
    const auto generation = check_copy(workshop.file(), source.file, source.above);
    if (!generation) return std::unexpected(generation.error());
    const auto home = workshop.folder().parent_path();
    const auto behind = std::max<std::int64_t>(0, sqlite::read_reach(home) - *generation);
    auto mark = sqlite::read_mark(home);
    mark.generation = std::max(mark.generation, *generation);
    if (auto done = sqlite::write_mark(workshop.folder(), mark); !done)
        return std::unexpected(done.error());
    auto next = raise_epoch(workshop.folder(), source.above, now);
    if (!next) return next;
    if (*resealed > 0) {
        if (auto sound = check_rows(workshop.file()); !sound) return std::unexpected(sound.error());
    }
    next->generations_behind = behind;
    next->pages_resealed = *resealed;
    std::error_code ec;
    if (fs::file_size(sqlite::log_of(workshop.file()), ec) > 0 && !ec)
        return fail_start(StartFailure::CannotCreate,
                          "The log could not be copied into the store.");
    return next;
}

}  // namespace fencegate::storage
