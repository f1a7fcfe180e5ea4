#include "storage/sqlite/verify_store.hpp"

#include "base/start_failure.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/file_checks.hpp"
#include "storage/sqlite/file_locks.hpp"
#include "storage/sqlite/folder_lock.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/verify_rows.hpp"

#include <sqlite3.h>

#include <functional>

namespace fencegate::storage {
namespace {

std::unexpected<Error> cannot_read(const sqlite::Failure& failure,
                                   const std::filesystem::path& file) {
    auto why = StartFailure::BadData;
    if (failure.kind == sqlite::Failure::Kind::Busy) why = StartFailure::InUse;
    if (failure.kind == sqlite::Failure::Kind::Full) why = StartFailure::CannotCreate;
    return fail_start(why, "Cannot verify " + file.string() + ": " + failure.message + ".");
}

std::unexpected<Error> is_served(const std::filesystem::path& file) {
    return fail_start(StartFailure::InUse,
                      "A gateway serves the store " + file.string() +
                          ", or another program has it open. Verify a backup of it (fencegate "
                          "verify --online, or fencegate backup and "
                          "then fencegate verify --file), or stop the gateway.");
}

// A store has a folder, which a gateway locks; a backup, wherever it lies, is nobody's.
Result<std::optional<sqlite::FolderLock>> keep_gateways_out(const std::filesystem::path& file) {
    if (sqlite::is_locked(file)) return is_served(file);
    if (file.filename() != "store.db") return std::nullopt;
    auto lock = sqlite::FolderLock::take_to_read(std::filesystem::absolute(file).parent_path());
    if (lock) return std::optional(*std::move(lock));
    if (start_failure_of(lock.error()) != StartFailure::InUse) return std::unexpected(lock.error());
    return is_served(file);
}

CheckResult result_of(const sqlite::LogSurvey& log) {
    CheckResult result{
        .name = "log",
        .claim = "every frame of the log checks, and no tail note is missing or tells of more",
        .looked_at = log.frames};
    if (log.damage) {
        result.faults = 1;
        result.first.push_back(sqlite::describe(*log.damage));
    }
    return result;
}

// A file that lies in no folder of its own has no marks to fall behind.
CheckResult hold_against_marks(sqlite::Connection& connection, const std::filesystem::path& file,
                               const VerifyOptions& options) {
    CheckResult result{.name = "folder_marks",
                       .claim = "the store has come as far as the marks of its folder"};
    const auto folder = std::filesystem::absolute(file).parent_path();
    if (file.filename() != "store.db" || !options.holds_against_marks) return result;
    const auto marked = sqlite::read_mark(folder).generation;
    if (marked == 0) return result;
    result.looked_at = 1;
    sqlite::Statement look(connection, "SELECT generation FROM store");
    auto row = look.query();
    const auto generation = row.next() ? row.integer(0) : 0;
    if (generation >= marked) return result;
    result.faults = 1;
    const auto reach = sqlite::read_reach(folder);
    result.first.push_back(
        generation < reach
            ? "it is " + sqlite::describe_behind(reach - generation) +
                  ": it was put back, or its log is gone or was not saved"
            : "its folder is closed: it was salvaged, or a restore did not finish; run fencegate "
              "restore before it serves");
    return result;
}

// Asked every few thousand steps of SQLite, within its own loops too.
int look_whether_given_up(void* is_given_up) {
    return static_cast<const std::atomic<bool>*>(is_given_up)->load() ? 1 : 0;
}

void let_give_up(sqlite::Connection& connection, const std::atomic<bool>* is_given_up) {
    constexpr int kSteps = 10'000;
    if (is_given_up == nullptr) return;
    ::sqlite3_progress_handler(connection.handle(), kSteps, look_whether_given_up,
                               const_cast<std::atomic<bool>*>(is_given_up));
}

// A page that cannot be read ends the check that needed it, and no other.
void run(sqlite::VerifyRows& rows, Check& check, const std::function<void(Check&)>& look) {
    look(check);
    if (const auto damage = rows.take_damage())
        check.fault("cannot be read to the end: " + *damage);
}

}  // namespace

Result<VerifyReport> verify_store(const std::filesystem::path& file, const VerifyOptions& options) {
    std::error_code ec;
    if (!std::filesystem::is_regular_file(file, ec))
        return fail_start(StartFailure::CannotRead, "There is no store " + file.string() + ".");
    const auto lock = keep_gateways_out(file);
    if (!lock) return std::unexpected(lock.error());
    // SQLite deletes the log of an empty store, and takes a damaged one for a shorter one.
    if (std::filesystem::file_size(file, ec) == 0)
        return fail_start(StartFailure::BadData, file.string() + " is empty: it is no store.");
    if (file.filename() == "store.db") {
        if (auto whole = sqlite::refuse_if_restoring(file.parent_path()); !whole)
            return std::unexpected(whole.error());
    }
    const auto log = sqlite::survey_log_in_folder(file);
    if (!log) return std::unexpected(log.error());
    const auto opened = sqlite::Connection::open_to_read(file);
    if (!opened) return std::unexpected(opened.error());
    auto& connection = **opened;
    if (auto known = sqlite::check_schema(connection, file); !known)
        return std::unexpected(known.error());
    let_give_up(connection, options.is_given_up);
    auto report = verify_rows(connection, options);
    if (options.is_given_up != nullptr && *options.is_given_up)
        return fail(ErrorCode::Draining, "The gateway is shutting down.");
    const auto& failure = connection.failure();
    if (failure && failure->kind != sqlite::Failure::Kind::Fatal &&
        failure->kind != sqlite::Failure::Kind::Damaged)
        return cannot_read(*failure, file);
    if (failure) connection.clear_failure();
    report.checks.insert(report.checks.begin(),
                         {result_of(*log), hold_against_marks(connection, file, options)});
    return report;
}

VerifyReport verify_rows(sqlite::Connection& connection, const VerifyOptions& options) {
    sqlite::FileChecks own;
    sqlite::VerifyRows rows(connection);
    // One picture of the store for all of it.
    connection.exec("BEGIN");
    run(rows, own.pages, [&](Check& check) { sqlite::check_pages(connection, options, check); });
    run(rows, own.file, [&](Check& check) { sqlite::check_file(connection, options, check); });
    run(rows, own.schema, [&](Check& check) { sqlite::check_objects(connection, check); });
    run(rows, own.foreign_keys,
        [&](Check& check) { sqlite::check_foreign_keys(connection, check); });
    auto report = verify_rules(rows, options, own.file);
    if (!connection.failure()) connection.exec("ROLLBACK");
    report.checks.insert(report.checks.begin(), {own.pages.result(), own.file.result(),
                                                 own.foreign_keys.result(), own.schema.result()});
    return report;
}

}  // namespace fencegate::storage
