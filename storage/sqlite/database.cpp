#include "storage/sqlite/database.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/disk_failure.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/ledger_rows.hpp"
#include "storage/sqlite/schema.hpp"
#include "storage/sqlite/seal_pages.hpp"
#include "storage/sqlite/tail_note.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <unistd.h>

namespace fencegate::storage::sqlite {
namespace {

constexpr std::int64_t kApplicationId = 0x46474154;  // "FGAT"
constexpr std::int64_t kSchemaVersion = std::size(kMigrations);
constexpr std::int64_t kGenerationVersion = 3;
constexpr std::int64_t kSealedJournalVersion = 3;

std::int64_t pragma_integer(Connection& connection, const char* sql) {
    Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? row.integer(0) : -1;
}

std::string pragma_text(Connection& connection, const char* sql) {
    Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? std::string(row.text(0)) : std::string();
}

std::unexpected<Error> failed(const Connection& connection, const std::filesystem::path& file) {
    const auto& failure = *connection.failure();
    if (failure.kind == Failure::Kind::Fatal) return disk_failed(file, failure.message);
    auto why = StartFailure::BadData;
    if (failure.kind == Failure::Kind::Full) why = StartFailure::CannotCreate;
    if (failure.kind == Failure::Kind::Busy) why = StartFailure::InUse;
    return fail_start(why, "Cannot use the store " + file.string() + ": " + failure.message + ".");
}

// SQLite gives its log the mode of the store, so the store is made before SQLite would.
Result<> create_private(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return fail_start(StartFailure::CannotCreate,
                          "Cannot open " + file.string() + ": " + std::strerror(errno));
    ::close(descriptor);
    return {};
}

// Before anything is written: a file that is not ours stays as it is.
Result<std::int64_t> read_version(Connection& connection, const std::filesystem::path& file) {
    // One process, and nobody beside it, not even a reader: the index of the log then lives on the
    // heap. In shared memory it grows after the commit is already on the disk, and a full disk
    // would turn a durable commit into an error.
    connection.exec("PRAGMA locking_mode = EXCLUSIVE");
    const auto version = pragma_integer(connection, "PRAGMA user_version");
    const auto application = pragma_integer(connection, "PRAGMA application_id");
    const auto tables = pragma_integer(connection, "SELECT count(*) FROM sqlite_schema");
    if (connection.failure()) return failed(connection, file);
    const bool is_new = version == 0 && application == 0 && tables == 0;
    if (!is_new && application != kApplicationId)
        return fail_start(StartFailure::BadData, file.string() + " is not a fencegate store.");
    if (version > kSchemaVersion)
        return fail_start(StartFailure::BadData,
                          file.string() + " was written by a newer fencegate (schema " +
                              std::to_string(version) + "). Start that version.");
    return version;
}

Result<> apply_settings(Connection& connection, const std::filesystem::path& file) {
    // FULL syncs the log at every commit: an answered grant survives a power cut. The writer alone
    // checkpoints, when it decides to.
    connection.exec(
        "PRAGMA journal_mode = WAL;"
        "PRAGMA synchronous = FULL;"
        "PRAGMA foreign_keys = ON;"
        "PRAGMA trusted_schema = OFF;"
        "PRAGMA wal_autocheckpoint = 0;"
        "PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -65536;");
    if (connection.failure()) return failed(connection, file);
    connection.watch_wal();
    if (pragma_text(connection, "PRAGMA journal_mode") != "wal")
        return fail_start(StartFailure::CannotCreate,
                          "The file system of " + file.string() +
                              " does not support write-ahead logging. Use a local disk.");
    return {};
}

Result<> migrate(Connection& connection, const std::filesystem::path& file, std::int64_t version,
                 const BeforeWriting& before_writing) {
    if (version == kSchemaVersion) return before_writing ? before_writing(connection) : Result<>();
    // Forward only, and all or nothing: a store that was left half-way would be nobody's version.
    // A table that others refer to can only be made anew while nobody looks at the references.
    connection.exec("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE");
    for (auto next = version; next < kSchemaVersion; ++next) {
        connection.exec(kMigrations[next]);
        if (next + 1 == kSealedJournalVersion) seal_journal(connection);
    }
    const auto stamp = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                       "; PRAGMA user_version = " + std::to_string(kSchemaVersion);
    connection.exec(stamp.c_str());
    if (before_writing && !connection.failure()) {
        if (auto may = before_writing(connection); !may) return may;  // closing rolls it back
    }
    connection.exec("COMMIT; PRAGMA foreign_keys = ON");
    if (connection.failure()) return failed(connection, file);
    return {};
}

bool is_remembered(const std::filesystem::path& folder) {
    std::error_code ec;
    const auto bytes = std::filesystem::file_size(folder / kLockFile, ec);
    return !ec && bytes > 0;
}

// A store from before there were seals gets them once, and is opened again as the file it is then.
Result<> seal_if_unsealed(std::unique_ptr<Connection>& connection,
                          const std::filesystem::path& file) {
    const auto is_sealed = has_sealed_pages(file);
    if (!is_sealed) return std::unexpected(is_sealed.error());
    if (*is_sealed) {
        remove_half_sealed(file);
        return {};
    }
    if (auto done = write_sealed(*connection, file); !done) return done;
    connection.reset();
    if (auto done = put_sealed_in_place(file); !done) return done;
    auto opened = Connection::open(file);
    if (!opened) return std::unexpected(opened.error());
    connection = *std::move(opened);
    if (auto version = read_version(*connection, file); !version)
        return std::unexpected(version.error());
    return apply_settings(*connection, file);
}

// A full disk still serves reads, and what is put off is done when there is room.
bool clear_if_full(Connection& connection) {
    const auto& failure = connection.failure();
    if (failure && failure->kind != Failure::Kind::Full) return false;
    connection.clear_failure();
    if (connection.is_in_transaction()) connection.exec("ROLLBACK");
    return !connection.failure();
}

// Nothing is written before it is known that the store is the folder's own.
Result<std::unique_ptr<Connection>> open_checked(const std::filesystem::path& folder, Origin origin,
                                                 const FolderSurvey& survey,
                                                 const BeforeWriting& before_writing) {
    const auto file = folder / "store.db";
    if (auto done = create_private(file); !done) return std::unexpected(done.error());
    auto connection = Connection::open(file);
    if (!connection) return connection;
    const auto version = read_version(**connection, file);
    if (!version) return std::unexpected(version.error());
    if (*version == 0 && survey.had_store)
        return fail_start(StartFailure::BadData,
                          "The store " + file.string() +
                              " is empty, but this folder had one. Nothing was changed. Put a "
                              "backup in its place with fencegate restore --from.");
    if (origin == Origin::Unchanged) {
        const bool knows = *version >= kGenerationVersion;
        if (auto same = check_incarnation(**connection, folder, survey.had_store, knows); !same)
            return std::unexpected(same.error());
    }
    if (auto done = apply_settings(**connection, file); !done) return std::unexpected(done.error());
    if (auto done = migrate(**connection, file, *version, before_writing); !done)
        return std::unexpected(done.error());
    return connection;
}

// What a crash left in the log goes into the store, and the log begins anew.
Result<> empty_log(Connection& connection, const std::filesystem::path& file) {
    TailKeeper tail(file);
    Result<> noted;
    connection.on_copied([&](bool) {
        noted = tail.opening();
        return noted.has_value();
    });
    connection.checkpoint(/*truncate=*/true);
    connection.on_copied({});
    if (!clear_if_full(connection)) return failed(connection, file);
    return noted;
}

// Durable before the first answer: from here on the log is one that goes on from this.
void note_begin(Connection& connection, const std::filesystem::path& file, std::int64_t base) {
    TailKeeper tail(file);
    tail.committed(connection.wal_frames(), base);
    tail.sync();
}

Result<std::unique_ptr<Connection>> open_surveyed(const std::filesystem::path& folder,
                                                  Origin origin, const FolderSurvey& survey,
                                                  const BeforeWriting& before_writing) {
    const auto file = folder / "store.db";
    auto connection = open_checked(folder, origin, survey, before_writing);
    if (!connection) return connection;
    // The tail note first: a store that is remembered without one has lost it.
    if (auto done = empty_log(**connection, file); !done) return std::unexpected(done.error());
    if (!survey.is_remembered) {
        if (auto done = remember_store(folder); !done) return std::unexpected(done.error());
    }
    if (auto done = seal_if_unsealed(*connection, file); !done)
        return std::unexpected(done.error());
    if (origin == Origin::Unchanged) {
        // Whatever is copied from here on, or was copied before, is older than this run.
        Incarnation incarnation(**connection, folder);
        const auto base = incarnation.generation();
        incarnation.raise_now();
        if (!clear_if_full(**connection)) return failed(**connection, file);
        note_begin(**connection, file, base);
    }
    // The name of a new file is durable only when its folder is synced.
    if (auto done = sync_path(folder); !done) return std::unexpected(done.error());
    return connection;
}

}  // namespace

Result<std::unique_ptr<Connection>> open_database(const std::filesystem::path& folder,
                                                  Origin origin,
                                                  const BeforeWriting& before_writing) {
    if (auto plain = refuse_odd_parts(folder); !plain) return std::unexpected(plain.error());
    if (auto whole = refuse_if_restoring(folder); !whole) return std::unexpected(whole.error());
    const auto survey = survey_folder(folder);
    if (!survey) return std::unexpected(survey.error());
    if (origin == Origin::Unchanged || !survey->has_store) {
        if (auto sound = refuse_what_is_lost(*survey, folder); !sound)
            return std::unexpected(sound.error());
    }
    Traces traces(folder, {"store.db", "store.db-wal", "store.db-journal", "store.db-tail"});
    auto opened = open_surveyed(folder, origin, *survey, before_writing);
    // The log and the journal of a store that was there are part of it, whoever made them: without
    // what is in them, a store that was being written to is torn. And a store that the lock
    // remembers by now must be found.
    if (survey->has_store || is_remembered(folder)) traces.keep_written();
    if (opened) traces.keep();
    return opened;
}

Result<> remember_store(const std::filesystem::path& folder) {
    static constexpr std::string_view kNote = "A store was made here.\n";
    const auto file = folder / kLockFile;
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    const bool is_kept =
        descriptor >= 0 &&
        ::write(descriptor, kNote.data(), kNote.size()) == static_cast<::ssize_t>(kNote.size()) &&
        sync_descriptor(descriptor);
    const int why = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (is_kept) return {};
    return fail_start(StartFailure::CannotCreate,
                      "Cannot write " + file.string() + ": " + std::strerror(why));
}

Result<> check_schema(Connection& connection, const std::filesystem::path& file) {
    const auto version = read_version(connection, file);
    if (!version) return std::unexpected(version.error());
    if (*version == kSchemaVersion) return {};
    if (*version == 0)
        return fail_start(StartFailure::BadData, file.string() + " is empty: it is no store.");
    return fail_start(StartFailure::BadData,
                      file.string() + " was written by an older fencegate (schema " +
                          std::to_string(*version) + " instead of " +
                          std::to_string(kSchemaVersion) +
                          "). Start this version once, which carries it over, or verify it with "
                          "the version that wrote it.");
}

}  // namespace fencegate::storage::sqlite
