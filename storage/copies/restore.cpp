#include "storage/copies/restore.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/disk_failure.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/tail_note.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <span>
#include <utility>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Statement;

// Of a store. The note goes first, so that it misses no log that has just been moved.
constexpr const char* kParts[] = {"-tail", "-wal", ""};
constexpr const char* kBackupParts[] = {"-wal", ""};  // a note is worth nothing in another place

std::unexpected<Error> cannot(const std::string& what, const std::error_code& ec) {
    return fail_start(StartFailure::CannotCreate, "Cannot " + what + ": " + ec.message() + ".");
}

std::int64_t number(sqlite::Connection& connection, const char* sql) {
    sqlite::Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? row.integer(0) : -1;
}

bool is_of_disk(const sqlite::Connection& connection) {
    return connection.failure() && connection.failure()->kind == sqlite::Failure::Kind::Fatal;
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
Result<> copy_parts(std::span<const char* const> parts, const fs::path& from, const fs::path& to) {
    std::error_code ec;
    for (const auto* part : parts) {
        const auto target = part_of(to, part);
        if (!fs::exists(part_of(from, part), ec)) continue;
        fs::copy_file(part_of(from, part), target, ec);
        if (ec) return cannot("copy " + from.string() + " to " + target.string(), ec);
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

Result<> check_epoch(sqlite::Connection& connection, std::int64_t above) {
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

Result<> copy_and_close(const fs::path& backup, const fs::path& copy, const fs::path& folder,
                        std::int64_t above) {
    remove_parts(copy);  // what an interrupted restore left
    auto done = copy_parts(kBackupParts, backup, copy);
    if (done) {
        const auto generation = check_copy(copy, backup, above);
        // From here until the epoch is raised, whatever is in place is refused.
        done = generation ? sqlite::close_folder(folder, *generation)
                          : Result<>(std::unexpected(generation.error()));
    }
    if (!done) remove_parts(copy);
    return done;
}

bool has_any_part(const fs::path& file) {
    std::error_code ec;
    return std::ranges::any_of(
        kParts, [&](const auto* part) { return fs::exists(part_of(file, part), ec); });
}

// REQUIRES: the copy of the backup is there and the folder is closed.
Result<fs::path> put_in_place(const RestoreOptions& options, WallTime now) {
    const auto file = options.data_dir / "store.db";
    const auto copy = options.data_dir / "store.db.restoring";
    auto kept = has_any_part(file) ? free_name(file, now) : fs::path();
    auto placed = kept.empty() ? Result<>() : rename_parts(file, kept);
    if (placed) placed = sqlite::TailKeeper(file).opening();
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
    if (connection.failure())
        return fail_start(StartFailure::BadData,
                          "The store in " + folder.string() +
                              " cannot be restored: " + connection.failure()->message + ".");
    if (auto noted = sqlite::write_mark(folder, sqlite::read_mark(folder)); !noted)
        return std::unexpected(noted.error());
    return restored;
}

// The store that is there stays as it was under another name, whatever becomes of it.
Result<fs::path> keep_a_copy(const fs::path& folder, bool is_unnoted, WallTime now) {
    const auto file = folder / "store.db";
    auto kept = free_name(file, now);
    auto done = copy_parts(kParts, file, kept);
    // In its new place nothing else says that there was a note.
    if (is_unnoted) std::ofstream(sqlite::tail_note_of(kept), std::ios::app).close();
    if (done) done = sync_path(folder);
    if (done) return kept;
    remove_parts(kept);
    done.error().detail += " The store was not changed.";
    return std::unexpected(std::move(done.error()));
}

struct Inspected {
    std::int64_t generation = 0;
    std::optional<sqlite::LogDamage> damage{};
    // What SQLite would read of the log is older than what is in the store already.
    bool is_log_old = false;
};

// How far a store has come. Each rises and never falls.
struct Reach {
    std::int64_t generation = 0;
    std::int64_t epoch = 0;
    std::int64_t sequence = 0;
    std::int64_t transfer = 0;

    friend auto operator<=>(const Reach&, const Reach&) = default;
};

// nullopt: it cannot be read.
std::optional<Reach> reach_of(const Result<std::unique_ptr<sqlite::Connection>>& opened) {
    if (!opened) return std::nullopt;
    auto& connection = **opened;
    const Reach reach{.generation = number(connection, "SELECT generation FROM store"),
                      .epoch = number(connection, "SELECT epoch FROM store"),
                      .sequence = number(connection, "SELECT sequence FROM store"),
                      .transfer = number(connection, "SELECT coalesce(max(id), 0) FROM transfers")};
    return connection.failure() ? std::nullopt : std::optional(reach);
}

// A damaged log may be older than the store: it was copied before it was damaged, or put back over
// a newer store. Or both were put back, and it is the newer part. The note does not tell.
bool is_older_than_store(const sqlite::LogDamage& damage, const fs::path& file) {
    const auto alone = reach_of(sqlite::Connection::open_without_log(file));
    if (!alone) return false;
    const auto with_log = reach_of(sqlite::Connection::open_to_read(file));
    return with_log ? *with_log < *alone : damage.is_copied;
}

// Of the store that is there, before anything is changed.
Result<Inspected> inspect(const fs::path& folder, std::int64_t above) {
    const auto survey = sqlite::survey_folder(folder);
    if (!survey) return std::unexpected(survey.error());
    const auto file = folder / "store.db";
    if (!survey->has_store)
        return fail_start(StartFailure::BadData,
                          "There is no store in " + folder.string() +
                              ", or an empty one. Nothing was changed. Name the backup to put "
                              "there with --from.");
    if (auto whole = sqlite::refuse_if_cut(*survey, folder); !whole)
        return std::unexpected(whole.error());
    Inspected inspected{.damage = survey->log.damage};
    inspected.is_log_old = inspected.damage && is_older_than_store(*inspected.damage, file);
    if (inspected.is_log_old) {
        if (const auto alone = reach_of(sqlite::Connection::open_without_log(file)))
            inspected.generation = alone->generation;
        return inspected;
    }
    const sqlite::Traces traces(folder, {"store.db-wal"});
    const auto generation = check_copy(file, file, above);
    if (!generation) return std::unexpected(generation.error());
    inspected.generation = *generation;
    return inspected;
}

// A log that is damaged, but copied, is only in the way.
Result<> drop_log(const fs::path& folder) {
    std::error_code ec;
    for (const auto* part : {"store.db-tail", "store.db-wal"}) {
        fs::remove(folder / part, ec);
        if (ec) return cannot("remove " + (folder / part).string(), ec);
    }
    return sync_path(folder);
}

// A log that was dropped because the store is newer may have held more behind its damage, if not
// all of it was copied: a reader holds a copy back.
void tell_damage(const sqlite::LogDamage& damage, bool is_log_old, Restored& restored) {
    if (damage.kind == sqlite::LogDamage::Kind::Unnoted)
        restored.unknown = sqlite::describe(damage);
    else if (!is_log_old || !damage.is_noted_copied)
        restored.lost = sqlite::describe(damage);
}

Result<Restored> restore_what_is_there(const fs::path& folder, std::int64_t above, WallTime now) {
    const auto inspected = inspect(folder, above);
    if (!inspected) return std::unexpected(inspected.error());
    const auto& damage = inspected->damage;
    const bool is_unnoted = damage && damage->kind == sqlite::LogDamage::Kind::Unnoted;
    auto kept = keep_a_copy(folder, is_unnoted, now);
    if (!kept) return std::unexpected(kept.error());
    const auto reach = sqlite::read_reach(folder);
    auto dropped = inspected->is_log_old ? drop_log(folder) : Result<>();
    auto restored = dropped ? raise_epoch(folder, above, now)
                            : Result<Restored>(std::unexpected(dropped.error()));
    if (!restored) {
        restored.error().detail += " The store as it was is kept as " + kept->string() + ".";
        return restored;
    }
    restored->kept = *std::move(kept);
    restored->generations_behind = std::max<std::int64_t>(0, reach - inspected->generation);
    if (damage) tell_damage(*damage, inspected->is_log_old, *restored);
    return restored;
}

// A damaged log is no part of a backup that could be put back without a word.
Result<> check_log_of(const fs::path& backup) {
    const auto survey = sqlite::survey_log_in_folder(backup);
    if (!survey) return std::unexpected(survey.error());
    if (!survey->damage || survey->damage->is_copied) return {};
    return fail_start(StartFailure::BadData, "The backup " + backup.string() + " is damaged: " +
                                                 sqlite::describe(*survey->damage) +
                                                 ". Nothing was changed. What can be read of it is "
                                                 "saved into a new folder by: fencegate salvage "
                                                 "--from " +
                                                 backup.string() + " --to NEW-FOLDER");
}

Result<Restored> restore_backup(const RestoreOptions& options, std::int64_t above, WallTime now,
                                sqlite::Traces& traces) {
    const auto& folder = options.data_dir;
    const auto still = keep_still(*options.from, folder);
    if (!still) return std::unexpected(still.error());
    const auto copy = folder / "store.db.restoring";
    if (auto done = copy_and_close(*options.from, copy, folder, above); !done)
        return std::unexpected(done.error());
    traces.keep();
    auto kept = put_in_place(options, now);
    if (!kept) return std::unexpected(kept.error());
    auto restored = raise_epoch(folder, above, now);
    if (restored) {
        restored->kept = *std::move(kept);
    } else if (!kept->empty()) {
        restored.error().detail += " The store that was there is kept as " + kept->string() + ".";
    }
    return restored;
}

}  // namespace

Result<Restored> restore_store(const RestoreOptions& options, WallTime now) {
    const auto folder = fs::absolute(options.data_dir);
    std::error_code ec;
    if (options.from && !fs::is_regular_file(*options.from, ec))
        return fail_start(StartFailure::CannotRead,
                          "There is no backup " + options.from->string() + ".");
    if (!options.from && !fs::exists(folder / "store.db", ec))
        return fail_start(StartFailure::BadData, "There is no store in " + folder.string() +
                                                     ". Name the backup to put there with --from.");
    if (options.from) {
        if (auto whole = check_log_of(*options.from); !whole) return std::unexpected(whole.error());
    }
    const auto made = MadeFolders::make(folder);
    if (!made) return std::unexpected(made.error());
    sqlite::Traces traces(folder, {"store.lock", "store.marks"});
    const auto lock = sqlite::FolderLock::take(folder);
    if (!lock) return std::unexpected(lock.error());
    const auto above = std::max(options.epoch_above, sqlite::read_mark(folder).epoch);
    auto restored = options.from ? restore_backup(options, above, now, traces)
                                 : restore_what_is_there(folder, above, now);
    if (restored) traces.keep();
    traces.remove();  // while the lock is held
    return restored;
}

}  // namespace fencegate::storage
