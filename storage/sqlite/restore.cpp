#include "storage/restore.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/incarnation.hpp"

#include <algorithm>
#include <optional>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Statement;

constexpr const char* kParts[] = {"-wal", ""};  // of a store, the log first

std::unexpected<Error> cannot(const std::string& what, const std::error_code& ec) {
    return fail_start(StartFailure::CannotCreate, "Cannot " + what + ": " + ec.message() + ".");
}

std::int64_t number(Connection& connection, const char* sql) {
    Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? row.integer(0) : -1;
}

fs::path part_of(fs::path file, const char* part) { return file += part; }

void remove_parts(const fs::path& file) {
    std::error_code ignored;
    for (const auto* part : kParts) fs::remove(part_of(file, part), ignored);
}

// Keeps a gateway out of the backup's folder while it is copied, if it is one of a store: a file
// that is written to is torn by copying, here before a checkpoint and there behind it.
// Where the lock cannot be taken for another reason, on a read-only medium, nobody writes either.
Result<std::optional<sqlite::FolderLock>> keep_still(const fs::path& backup,
                                                     const fs::path& data_dir) {
    std::error_code ec;
    const auto folder = fs::canonical(backup, ec).parent_path();
    if (ec || fs::equivalent(folder, data_dir, ec) || !fs::exists(folder / "store.lock", ec))
        return std::nullopt;
    auto lock = sqlite::FolderLock::take(folder);
    if (lock) return *std::move(lock);
    if (start_failure_of(lock.error()) != StartFailure::InUse) return std::nullopt;
    return fail_start(StartFailure::InUse,
                      "A gateway serves " + backup.string() +
                          ", and a copy of it would be torn. Take one with fencegate backup.");
}

// With its log, if it has one: a folder copied from a gateway that was killed.
Result<> copy_parts(const fs::path& from, const fs::path& to) {
    std::error_code ec;
    for (const auto* part : kParts) {
        const auto target = part_of(to, part);
        if (!fs::exists(part_of(from, part), ec)) continue;
        fs::copy_file(part_of(from, part), target, ec);
        if (ec) return cannot("copy the backup to " + target.string(), ec);
        fs::permissions(target, fs::perms(0600), ec);
        if (ec) return cannot("protect " + target.string(), ec);
        if (auto done = sync_path(target); !done) return done;
    }
    return {};
}

Result<> rename_parts(const fs::path& from, const fs::path& to) {
    std::error_code ec;
    for (const auto* part : kParts) {
        if (!fs::exists(part_of(from, part), ec)) continue;
        fs::rename(part_of(from, part), part_of(to, part), ec);
        if (ec) return cannot("rename " + part_of(from, part).string(), ec);
    }
    return {};
}

Result<> check_epoch(Connection& connection, std::int64_t above) {
    if (std::max(number(connection, "SELECT epoch FROM store"), above) < lockmgr::kTokenEpochMax)
        return {};
    return fail_start(StartFailure::BadData,
                      "Epoch " + std::to_string(lockmgr::kTokenEpochMax) +
                          ", the last there is, is used up by the backup, by a store that was in "
                          "this folder or by --epoch-above: no token could be higher than those "
                          "before. Nothing was changed.");
}

// Opened and read before anything is replaced: a file that is no store replaces none. Returns its
// generation, 0 for one from before there were any.
Result<std::int64_t> check_copy(const fs::path& copy, const fs::path& backup, std::int64_t above) {
    const auto opened = Connection::open(copy);
    if (!opened) return std::unexpected(opened.error());
    auto& connection = **opened;
    connection.exec("PRAGMA locking_mode = EXCLUSIVE");  // no index of the log beside it
    const auto stores = number(connection, "SELECT count(*) FROM store");
    const auto knows = number(
        connection, "SELECT count(*) FROM pragma_table_info('store') WHERE name = 'generation'");
    const auto generation = knows > 0 ? number(connection, "SELECT generation FROM store") : 0;
    // Not quick_check, which does not miss a row that an index has lost: an answer that its key
    // does not find any more is a payment that is made twice.
    Statement check(connection, "PRAGMA integrity_check(1)");
    auto row = check.query();
    const bool is_sound = stores == 1 && row.next() && row.text(0) == "ok";
    if (!is_sound || connection.failure())
        return fail_start(
            StartFailure::BadData,
            backup.string() + " is not a sound fencegate store. Nothing was changed.");
    if (auto checked = check_epoch(connection, above); !checked)
        return std::unexpected(checked.error());
    return generation;
}

// A name that says when and that nothing has yet.
fs::path free_name(const fs::path& file, WallTime now) {
    const auto base = file.string() + ".replaced-" + rfc3339(now).text;
    fs::path name = base;
    std::error_code ec;
    for (int number = 2; fs::exists(name, ec); ++number) name = base + "-" + std::to_string(number);
    return name;
}

// From here until the epoch is raised, whatever is in place is refused.
Result<> close_the_folder(const fs::path& folder, std::int64_t generation) {
    auto mark = sqlite::read_mark(folder);
    mark.generation = std::max(mark.generation, generation) + 1;
    return sqlite::write_mark(folder, mark);
}

Result<> copy_and_close(const fs::path& backup, const fs::path& copy, const fs::path& folder,
                        std::int64_t above) {
    remove_parts(copy);  // what an interrupted restore left
    auto done = copy_parts(backup, copy);
    if (done) {
        const auto generation = check_copy(copy, backup, above);
        done = generation ? close_the_folder(folder, *generation)
                          : Result<>(std::unexpected(generation.error()));
    }
    if (!done) remove_parts(copy);
    return done;
}

Result<fs::path> put_in_place(const RestoreOptions& options, std::int64_t above, WallTime now) {
    const auto& backup = *options.from;
    const auto file = options.data_dir / "store.db";
    const auto copy = options.data_dir / "store.db.restoring";
    std::error_code ec;
    if (auto done = copy_and_close(backup, copy, options.data_dir, above); !done)
        return std::unexpected(done.error());
    auto kept = fs::exists(file, ec) ? free_name(file, now) : fs::path();
    auto placed = kept.empty() ? Result<>() : rename_parts(file, kept);
    if (placed) placed = rename_parts(copy, file);
    if (placed) placed = sync_path(options.data_dir);
    if (placed) return kept;
    auto error = placed.error();
    if (!kept.empty())
        error.detail += " The store that was there is kept as " + kept.string() + ".";
    return std::unexpected(std::move(error));
}

// One transaction: whatever this store is, its tokens are worth nothing from here on, and it is at
// home in this folder.
Result<Restored> raise_epoch(const fs::path& folder, std::int64_t above, WallTime now) {
    const auto opened = sqlite::open_database(folder, sqlite::Origin::Anywhere);
    if (!opened) return std::unexpected(opened.error());
    auto& connection = **opened;
    if (auto checked = check_epoch(connection, above); !checked)
        return std::unexpected(checked.error());
    sqlite::Incarnation incarnation(connection, folder);
    connection.exec("BEGIN IMMEDIATE");
    Statement(connection, "UPDATE store SET epoch = max(epoch, ?) + 1, sequence = 0").run(above);
    Statement end_live(connection,
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
    if (connection.failure())
        return fail_start(StartFailure::BadData,
                          "The store in " + folder.string() +
                              " cannot be restored: " + connection.failure()->message + ".");
    if (auto noted = sqlite::write_mark(folder, sqlite::read_mark(folder)); !noted)
        return std::unexpected(noted.error());
    return restored;
}

}  // namespace

Result<Restored> restore_store(const RestoreOptions& options, WallTime now) {
    const auto& folder = options.data_dir;
    std::error_code ec;
    if (options.from && !fs::is_regular_file(*options.from, ec))
        return fail_start(StartFailure::CannotRead,
                          "There is no backup " + options.from->string() + ".");
    if (!options.from && !fs::exists(folder / "store.db", ec))
        return fail_start(StartFailure::BadData, "There is no store in " + folder.string() +
                                                     ". Name the backup to put there with --from.");
    if (auto done = make_private_directory(folder); !done) return std::unexpected(done.error());
    const auto lock = sqlite::FolderLock::take(folder);
    if (!lock) return std::unexpected(lock.error());
    const auto epoch = std::max(options.epoch_above, sqlite::read_mark(folder).epoch);
    fs::path kept;
    if (options.from) {
        const auto still = keep_still(*options.from, folder);
        if (!still) return std::unexpected(still.error());
        auto put = put_in_place(options, epoch, now);
        if (!put) return std::unexpected(put.error());
        kept = *std::move(put);
    }
    auto restored = raise_epoch(folder, epoch, now);
    if (restored) {
        restored->kept = std::move(kept);
    } else if (!kept.empty()) {
        restored.error().detail += " The store that was there is kept as " + kept.string() + ".";
    }
    return restored;
}

}  // namespace fencegate::storage
