#include "storage/verify/verify.hpp"

#include "base/start_failure.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/file_locks.hpp"
#include "storage/sqlite/folder_lock.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/ledger_rows.hpp"
#include "storage/verify/verify_checks.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

namespace fencegate::storage {
namespace {

using sqlite::Failure;

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

// Names in a damaged store may hold anything: what leads a terminal, and what is no UTF-8.
std::string harmless(std::string text) {
    for (auto& letter : text) {
        if (letter < ' ' || letter > '~') letter = '?';
    }
    return text;
}

}  // namespace

std::string to_text(const JournalHead& head) {
    static constexpr char kDigits[] = "0123456789abcdef";
    auto text = std::to_string(head.id) + ":";
    for (const auto byte : head.seal) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

std::optional<JournalHead> parse_journal_head(std::string_view text) {
    JournalHead head;
    const auto* end = text.data() + text.size();
    const auto id = std::from_chars(text.data(), end, head.id);
    const auto digits = static_cast<std::size_t>(end - id.ptr);
    if (id.ec != std::errc{} || head.id < 0 || digits != 1 + 2 * head.seal.size() || *id.ptr != ':')
        return std::nullopt;
    const char* at = id.ptr + 1;
    for (auto& byte : head.seal) {
        const auto parsed = std::from_chars(at, at + 2, byte, 16);
        if (parsed.ec != std::errc{} || parsed.ptr != at + 2) return std::nullopt;
        at += 2;
    }
    return head;
}

void write_members(JsonWriter& json, const VerifyReport& report) {
    json.member_bool("sound", report.is_sound())
        .member("head", to_text(report.head))
        .key("checks")
        .begin_array();
    for (const auto& check : report.checks) {
        json.begin_object()
            .member("name", check.name)
            .member("claim", check.claim)
            .member("looked_at", check.looked_at)
            .member("faults", check.faults)
            .key("first")
            .begin_array();
        for (const auto& line : check.first) json.string(harmless(line));
        json.end_array().end_object();
    }
    json.end_array();
}

bool VerifyReport::is_sound() const noexcept {
    return std::ranges::all_of(checks, [](const auto& check) { return check.faults == 0; });
}

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

void Check::fault(std::string what) {
    ++result_.faults;
    if (result_.first.size() < CheckResult::kToldMax) result_.first.push_back(std::move(what));
}

namespace {

std::int64_t number(sqlite::Connection& connection, const char* sql) {
    sqlite::Statement statement(connection, sql);
    auto row = statement.query();
    return row.next() ? row.integer(0) : 0;
}

StoreFacts facts_of(sqlite::Connection& connection) {
    return {.counter = number(connection, "SELECT (epoch << 43) + sequence FROM store"),
            // A lease is kept for an hour at least; see sweeper.hpp.
            .forgotten = number(connection,
                                "SELECT last_token FROM hours "
                                "WHERE hour = (SELECT max(hour) - 1 FROM hours)"),
            .transfers = sqlite::count_entries(connection),
            .kept_hour = number(connection, "SELECT coalesce(max(hour), -1) + 1 FROM hours") -
                         kKeysKeptHours,
            // Of the hours before, a store that forgets leases sooner has no row any more.
            .kept_after = number(connection,
                                 "SELECT last_token FROM hours WHERE hour >= "
                                 "(SELECT max(hour) - 24 FROM hours) ORDER BY hour LIMIT 1"),
            .is_clock_unsteady = is_clock_unsteady(connection)};
}

void check_file(sqlite::Connection& connection, const VerifyOptions& options, Checks& checks) {
    if (options.on_progress) options.on_progress({"file", 0, 0});
    checks.file.look(number(connection, "PRAGMA page_count"));
    sqlite::Statement check(connection, "PRAGMA integrity_check(100)");
    auto row = check.query();
    while (row.next()) {
        if (row.text(0) != "ok") checks.file.fault(std::string(row.text(0)));
    }
}

void check_foreign_keys(sqlite::Connection& connection, Checks& checks) {
    checks.foreign_keys.look(sqlite::count_entries(connection) +
                             number(connection,
                                    "SELECT (SELECT count(*) FROM payment_references) + "
                                    "(SELECT count(*) FROM mark_balances)"));
    sqlite::Statement check(connection, "PRAGMA foreign_key_check");
    auto row = check.query();
    while (row.next())
        checks.foreign_keys.fault(std::string(row.text(0)) + " " + nth("row", row.integer(1)) +
                                  " refers to no row of " + std::string(row.text(2)));
}

// A page that cannot be read ends the part that needed it, and no other.
void run(sqlite::Connection& connection, Check& tells, const std::function<void()>& part) {
    part();
    const auto& failure = connection.failure();
    const bool is_damage = failure && (failure->kind == sqlite::Failure::Kind::Fatal ||
                                       failure->kind == sqlite::Failure::Kind::Damaged);
    if (!is_damage) return;
    tells.fault("cannot be read to the end: " + failure->message);
    connection.clear_failure();
}

std::vector<CheckResult> results_of(const Checks& of) {
    std::vector<CheckResult> results;
    for (const auto* check :
         {&of.pages,          &of.file,           &of.foreign_keys,  &of.schema,
          &of.journal_ids,    &of.journal_seals,  &of.journal_times, &of.journal_accounts,
          &of.movements,      &of.balances,       &of.marks,         &of.payment_amounts,
          &of.payment_states, &of.payment_chains, &of.references,    &of.consumers,
          &of.one_effect,     &of.answers,        &of.fence_order,   &of.fence_leases,
          &of.lease_chains,   &of.one_holder,     &of.token_counter, &of.expected_head})
        results.push_back(check->result());
    return results;
}

}  // namespace

VerifyReport verify_rows(sqlite::Connection& connection, const VerifyOptions& options) {
    Checks checks;
    VerifyReport report;
    StoreFacts facts;
    // One picture of the store for all parts.
    connection.exec("BEGIN");
    run(connection, checks.pages, [&] { check_pages(connection, options, checks); });
    run(connection, checks.file, [&] { check_file(connection, options, checks); });
    run(connection, checks.schema, [&] { check_objects(connection, checks); });
    run(connection, checks.file, [&] { facts = facts_of(connection); });
    run(connection, checks.foreign_keys, [&] { check_foreign_keys(connection, checks); });
    run(connection, checks.journal_seals,
        [&] { check_journal(connection, facts, options, checks, report.head); });
    std::int64_t first_kept = std::numeric_limits<std::int64_t>::max();
    run(connection, checks.payment_chains,
        [&] { first_kept = check_payments(connection, facts, options, checks); });
    run(connection, checks.fence_leases,
        [&] { check_late_writes(connection, facts, options, checks); });
    run(connection, checks.one_effect,
        [&] { check_keys(connection, facts, first_kept, options, checks); });
    run(connection, checks.lease_chains, [&] { check_leases(connection, facts, options, checks); });
    if (!connection.failure()) connection.exec("ROLLBACK");
    report.checks = results_of(checks);
    return report;
}

}  // namespace fencegate::storage
