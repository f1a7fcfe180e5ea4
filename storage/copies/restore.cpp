#include "storage/copies/restore.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/copies/half_copied.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/disk_failure.hpp"
#include "storage/sqlite/file_locks.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Statement;

using Parts = std::span<const char* const>;

// Of a store. The note goes first, so that it misses no log that has just been moved.
constexpr const char* kParts[] = {"-tail", "-wal", ""};
constexpr const char* kBackupParts[] = {"-wal", ""};  // a note is worth nothing in another place
constexpr const char* kStoreAlone[] = {""};

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

std::unexpected<Error> is_served(const fs::path& backup) {
    return fail_start(StartFailure::InUse, "A gateway serves " + backup.string() +
                                               ", or another program has it open, and a copy of it "
                                               "would be torn. Take one with fencegate backup.");
}

// Keeps a gateway out of the backup's folder while it is copied, if it is one of a store: a file
// that is written to is torn by copying, here before a checkpoint and there behind it.
// Where the lock cannot be taken for another reason, on a read-only medium, nobody writes either.
Result<std::optional<sqlite::FolderLock>> keep_still(const fs::path& backup,
                                                     const fs::path& data_dir) {
    std::error_code ec;
    const auto file = fs::canonical(backup, ec);
    if (ec) return std::nullopt;
    if (sqlite::is_locked(file)) return is_served(backup);
    const auto folder = file.parent_path();
    const bool is_of_store = file.filename() == "store.db" || fs::exists(folder / "store.lock", ec);
    if (!is_of_store || fs::equivalent(folder, data_dir, ec)) return std::nullopt;
    auto lock = sqlite::FolderLock::take_to_read(folder);
    if (lock) return *std::move(lock);
    if (start_failure_of(lock.error()) != StartFailure::InUse) return std::nullopt;
    return is_served(backup);
}

// With its log, if it has one: a folder copied from a gateway that was killed.
Result<> copy_parts(Parts parts, const fs::path& from, const fs::path& to) {
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

// A second name for what is there, which needs no room; a copy where the file system has none.
Result<> keep_parts(const fs::path& file, const fs::path& kept) {
    std::error_code ec;
    for (const auto* part : kParts) {
        if (!fs::exists(part_of(file, part), ec)) continue;
        fs::create_hard_link(part_of(file, part), part_of(kept, part), ec);
        if (!ec) continue;
        remove_parts(kept);
        return copy_parts(kParts, file, kept);
    }
    return {};
}

// The store last: under a log that is not its own it would be another one.
Result<> replace_parts(const fs::path& file, const fs::path& next) {
    std::error_code ec;
    for (const auto* part : kParts) {
        const auto target = part_of(file, part);
        const bool has_next = fs::exists(part_of(next, part), ec);
        if (has_next) fs::rename(part_of(next, part), target, ec);
        if (!has_next) fs::remove(target, ec);
        if (ec) return cannot("replace " + target.string(), ec);
    }
    return sync_path(file.parent_path());
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

// A name that says when and that nothing has yet.
fs::path free_name(const fs::path& file, WallTime now) {
    const auto base = file.string() + ".replaced-" + rfc3339(now).text;
    fs::path name = base;
    std::error_code ec;
    for (int number = 2; fs::exists(name, ec); ++number) name = base + "-" + std::to_string(number);
    return name;
}

bool has_any_part(const fs::path& file) {
    std::error_code ec;
    return std::ranges::any_of(
        kParts, [&](const auto* part) { return fs::exists(part_of(file, part), ec); });
}

fs::path workshop_in(const fs::path& data_dir) { return data_dir / "store.db.restoring"; }

// Where the next store is made, in the folder that it is for: on the same disk, and gone with this.
// Whatever needs room is done here, while the store that is there is what it was.
class Workshop {
public:
    explicit Workshop(const fs::path& data_dir) : folder_(workshop_in(data_dir)) {
        remove();  // what an interrupted restore left
    }
    ~Workshop() { remove(); }
    Workshop(const Workshop&) = delete;
    Workshop& operator=(const Workshop&) = delete;

    [[nodiscard]] const fs::path& folder() const noexcept { return folder_; }
    [[nodiscard]] fs::path file() const { return folder_ / "store.db"; }

private:
    void remove() const {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    const fs::path folder_;
};

// One transaction: whatever this store is, its tokens are worth nothing from here on, and it is at
// home in the folder of its workshop.
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
    if (!connection.failure()) return restored;
    const bool is_full = connection.failure()->kind == sqlite::Failure::Kind::Full;
    return fail_start(is_full ? StartFailure::CannotCreate : StartFailure::BadData,
                      "The store cannot be restored: " + connection.failure()->message + ".");
}

// Makes a store that may serve in `data_dir` of the parts of `from`. Above its marks, so that
// whatever else lies there is refused once this one's mark is.
// REQUIRES: the folder of `workshop` is not there.
Result<Restored> make_next(const Workshop& workshop, Parts parts, const fs::path& from,
                           std::int64_t above, WallTime now) {
    if (auto done = make_private_directory(workshop.folder()); !done)
        return std::unexpected(done.error());
    if (auto done = copy_parts(parts, from, workshop.file()); !done)
        return std::unexpected(done.error());
    const auto generation = check_copy(workshop.file(), from, above);
    if (!generation) return std::unexpected(generation.error());
    auto mark = sqlite::read_mark(workshop.folder().parent_path());
    const auto behind = std::max<std::int64_t>(0, mark.generation - *generation);
    mark.generation = std::max(mark.generation, *generation);
    if (auto done = sqlite::write_mark(workshop.folder(), mark); !done)
        return std::unexpected(done.error());
    const auto lock = sqlite::FolderLock::take(workshop.folder());
    if (!lock) return std::unexpected(lock.error());
    auto next = raise_epoch(workshop.folder(), above, now);
    if (next) next->generations_behind = behind;
    return next;
}

// Its mark comes first: from then on whatever is in its place is refused.
// Returns the name that what was there is kept under, empty if there was nothing.
Result<fs::path> put_in_place(const Workshop& workshop, const fs::path& folder, WallTime now,
                              sqlite::Traces& traces) {
    const auto file = folder / "store.db";
    auto kept = has_any_part(file) ? free_name(file, now) : fs::path();
    auto done = kept.empty() ? Result<>() : keep_parts(file, kept);
    if (done) done = sqlite::remember_store(folder);
    if (done) done = sqlite::write_mark(folder, sqlite::read_mark(workshop.folder()));
    if (!done) {
        if (!kept.empty()) remove_parts(kept);
        done.error().detail += " The store was not changed.";
        return std::unexpected(done.error());
    }
    traces.keep();
    done = replace_parts(file, workshop.file());
    if (done) return kept;
    if (!kept.empty())
        done.error().detail += " The store that was there is kept as " + kept.string() + ".";
    return std::unexpected(done.error());
}

Result<Restored> replace_store(Parts parts, const fs::path& from, const fs::path& folder,
                               std::int64_t above, WallTime now, sqlite::Traces& traces) {
    const Workshop workshop(folder);
    auto next = make_next(workshop, parts, from, above, now);
    if (!next) {
        next.error().detail += " Nothing was changed.";
        return next;
    }
    auto kept = put_in_place(workshop, folder, now, traces);
    if (!kept) return std::unexpected(kept.error());
    next->kept = *std::move(kept);
    return next;
}

struct Inspected {
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
Result<Inspected> inspect(const fs::path& folder) {
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
    if (auto whole = refuse_if_half_copied(*survey, folder); !whole)
        return std::unexpected(whole.error());
    Inspected inspected{.damage = survey->log.damage};
    inspected.is_log_old = inspected.damage && is_older_than_store(*inspected.damage, file);
    return inspected;
}

Result<Restored> restore_what_is_there(const fs::path& folder, std::int64_t above, WallTime now,
                                       sqlite::Traces& traces) {
    const auto inspected = inspect(folder);
    if (!inspected) return std::unexpected(inspected.error());
    const auto& damage = inspected->damage;
    // A log that is damaged, but copied, is only in the way.
    const auto parts = inspected->is_log_old ? Parts(kStoreAlone) : Parts(kParts);
    auto restored = replace_store(parts, folder / "store.db", folder, above, now, traces);
    if (restored && damage && !inspected->is_log_old) restored->lost = sqlite::describe(*damage);
    return restored;
}

// A damaged log is no part of a backup that could be put back without a word.
Result<> check_log_of(const fs::path& backup) {
    const auto survey = sqlite::survey_log(backup);
    if (!survey) return std::unexpected(survey.error());
    if (!survey->damage || survey->damage->is_copied) return {};
    return fail_start(StartFailure::BadData, "The backup " + backup.string() + " is damaged: " +
                                                 sqlite::describe(*survey->damage) +
                                                 ". Nothing was changed.");
}

Result<Restored> restore_backup(const RestoreOptions& options, std::int64_t above, WallTime now,
                                sqlite::Traces& traces) {
    const auto& folder = options.data_dir;
    std::error_code ec;
    if (fs::equivalent(options.from->parent_path(), workshop_in(folder), ec))
        return fail_start(StartFailure::CannotRead,
                          options.from->string() +
                              " is what an interrupted restore left, and may be half of it. "
                              "Nothing was changed. Name the backup itself.");
    const auto still = keep_still(*options.from, folder);
    if (!still) return std::unexpected(still.error());
    auto restored = replace_store(kBackupParts, *options.from, folder, above, now, traces);
    if (restored) restored->generations_behind = 0;  // as a backup is
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
    if (auto plain = sqlite::refuse_odd_parts(folder); !plain) {
        traces.remove();
        return std::unexpected(plain.error());
    }
    const auto above = std::max(options.epoch_above, sqlite::read_mark(folder).epoch);
    auto restored = options.from ? restore_backup(options, above, now, traces)
                                 : restore_what_is_there(folder, above, now, traces);
    if (restored) traces.keep();
    traces.remove();  // while the lock is held
    return restored;
}

}  // namespace fencegate::storage
