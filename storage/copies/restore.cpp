#include "storage/copies/restore.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/copies/half_copied.hpp"
#include "storage/copies/next_store.hpp"
#include "storage/copies/ready_note.hpp"
#include "storage/copies/store_parts.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/file_locks.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/tail_note.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;
using sqlite::Statement;

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

// A name that says when and that nothing has yet.
fs::path free_name(const fs::path& file, WallTime now) {
    const auto base = file.string() + ".replaced-" + rfc3339(now).text;
    fs::path name = base;
    std::error_code ec;
    for (int number = 2; fs::exists(name, ec); ++number) name = base + "-" + std::to_string(number);
    return name;
}

// In its new place nothing else says that there was a note.
void keep_place_of_note(const fs::path& kept) {
    std::ofstream(sqlite::tail_note_of(kept), std::ios::app).close();
}

// A second name for what is there, durable. Empty if there is nothing.
Result<fs::path> keep_what_is_there(const fs::path& folder, bool is_unknown, WallTime now) {
    const auto file = folder / "store.db";
    if (!has_any_part(file)) return fs::path();
    auto kept = free_name(file, now);
    auto done = keep_parts(file, kept);
    if (done && is_unknown) keep_place_of_note(kept);
    if (done) done = sync_path(folder);
    if (done) return kept;
    remove_parts(kept);
    return std::unexpected(done.error());
}

// May be repeated until it is done. The mark comes first: from then on only the new store is one.
Result<Restored> finish(const fs::path& folder, const ReadyNote& note) {
    auto done = sqlite::close_folder(folder, note.mark);
    if (done) done = replace_parts(folder / "store.db", sqlite::restoring_in(folder) / "store.db");
    if (done) {
        sqlite::note_reached(folder, note.mark);
        return note.restored;
    }
    done.error().detail +=
        " To finish the restore, run: fencegate restore --data-dir " + folder.string() + ".";
    if (!note.restored.kept.empty())
        done.error().detail +=
            " The store that was there is kept as " + note.restored.kept.string() + ".";
    return std::unexpected(done.error());
}

// `describe` adds what is to be told; it is on the disk before a name changes.
Result<Restored> replace_store(const NextStore& source, const fs::path& folder, WallTime now,
                               sqlite::Traces& traces,
                               const std::function<void(Restored&)>& describe) {
    Workshop workshop(folder);
    auto next = make_next_store(workshop, source, now);
    if (!next) {
        next.error().detail += " Nothing was changed.";
        return next;
    }
    describe(*next);
    auto kept = keep_what_is_there(folder, !next->unknown.empty(), now);
    auto done = kept ? sqlite::remember_store(folder) : Result<>(std::unexpected(kept.error()));
    if (done) next->kept = *kept;
    const ReadyNote note{*next, sqlite::read_mark(workshop.folder())};
    if (done) done = write_ready_note(folder, note);
    if (!done) {
        if (kept && !kept->empty()) remove_parts(*kept);
        done.error().detail += " The store was not changed.";
        return std::unexpected(done.error());
    }
    workshop.keep();
    traces.keep();
    return finish(folder, note);
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
    Statement look(connection,
                   "SELECT generation, epoch, sequence, "
                   "(SELECT coalesce(max(id), 0) FROM transfers) FROM store");
    auto row = look.query();
    if (!row.next() || connection.failure()) return std::nullopt;
    return Reach{.generation = row.integer(0),
                 .epoch = row.integer(1),
                 .sequence = row.integer(2),
                 .transfer = row.integer(3)};
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
    if (auto own = sqlite::refuse_if_foreign(*survey, folder); !own)
        return std::unexpected(own.error());
    if (auto whole = refuse_if_half_copied(*survey, folder); !whole)
        return std::unexpected(whole.error());
    Inspected inspected{.damage = survey->log.damage};
    inspected.is_log_old = inspected.damage && is_older_than_store(*inspected.damage, file);
    return inspected;
}

// A log that was dropped because the store is newer may have held more behind its damage, if not
// all of it was copied: a reader holds a copy back.
void tell_damage(const sqlite::LogDamage& damage, bool is_log_old, Restored& restored) {
    if (damage.kind == sqlite::LogDamage::Kind::Unnoted)
        restored.unknown = sqlite::describe(damage);
    else if (!is_log_old || !damage.is_noted_copied)
        restored.lost = sqlite::describe(damage);
}

Result<Restored> restore_what_is_there(const RestoreOptions& options, std::int64_t above,
                                       WallTime now, sqlite::Traces& traces) {
    const auto& folder = options.data_dir;
    const auto inspected = inspect(folder);
    if (!inspected) return std::unexpected(inspected.error());
    const auto& damage = inspected->damage;
    // A log that is damaged, but copied, is only in the way.
    const auto parts = inspected->is_log_old ? Parts(kStoreAlone) : Parts(kParts);
    const bool is_log_gone = damage && damage->kind == sqlite::LogDamage::Kind::Missing;
    auto restored = replace_store(
        {.file = folder / "store.db", .parts = parts, .above = above, .reseals = options.reseals},
        folder, now, traces, [&](Restored& next) {
            if (damage) tell_damage(*damage, inspected->is_log_old, next);
            // Pages without a seal at the marks of the folder: that may be where the log went.
            if (is_log_gone && next.pages_resealed > 0 && next.generations_behind == 0)
                next.unknown = std::exchange(next.lost, {});
        });
    if (!restored && is_log_gone && !options.reseals)
        restored.error().detail +=
            " If another program, such as the shell of SQLite, copied the log into the store, its "
            "pages lack their seals: restore with --reseal takes them as they are, if all else "
            "verifies.";
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
    std::error_code ec;
    if (fs::equivalent(options.from->parent_path(), sqlite::restoring_in(folder), ec))
        return fail_start(StartFailure::CannotRead,
                          options.from->string() +
                              " is what an interrupted restore left, and may be half of it. "
                              "Nothing was changed. Name the backup itself.");
    const auto still = keep_still(*options.from, folder);
    if (!still) return std::unexpected(still.error());
    return replace_store(
        {.file = *options.from, .parts = kBackupParts, .above = above, .reseals = options.reseals},
        folder, now, traces,
        [](Restored& next) { next.generations_behind = 0; });  // as a backup is
}

// Told first: as long as it may not have been, the next restore tells it.
void tell_and_clear(const fs::path& folder, const Restored& restored, const TellRestored& tell) {
    if (tell) tell(restored);
    const auto workshop = sqlite::restoring_in(folder);
    std::error_code ignored;
    fs::remove(workshop / sqlite::kReadyFile, ignored);
    static_cast<void>(sync_path(workshop));  // else a power cut brings the note back
    fs::remove_all(workshop, ignored);
}

// nullopt: no restore was interrupted, or only before its store was ready.
Result<std::optional<Restored>> finish_interrupted(const fs::path& folder,
                                                   const TellRestored& tell) {
    if (sqlite::refuse_if_restoring(folder)) return std::nullopt;
    const auto lock = sqlite::FolderLock::take(folder);
    if (!lock) return std::unexpected(lock.error());
    const auto note = read_ready_note(folder);
    if (!note) return std::unexpected(note.error());
    if (!*note) return std::nullopt;
    auto restored = finish(folder, **note);
    if (!restored) return std::unexpected(restored.error());
    restored->is_finished_late = true;
    tell_and_clear(folder, *restored, tell);
    return *std::move(restored);
}

}  // namespace

Result<Restored> restore_store(const RestoreOptions& options, WallTime now,
                               const TellRestored& tell) {
    const auto folder = fs::absolute(options.data_dir);
    std::error_code ec;
    auto finished = finish_interrupted(folder, tell);
    if (!finished) return std::unexpected(finished.error());
    if (*finished && !options.from) return **std::move(finished);
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
                                 : restore_what_is_there(options, above, now, traces);
    if (restored) traces.keep();
    if (restored) tell_and_clear(folder, *restored, tell);
    traces.remove();  // while the lock is held
    return restored;
}

}  // namespace fencegate::storage
