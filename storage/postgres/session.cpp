#include "storage/postgres/session.hpp"

#include "base/start_failure.hpp"

#include <libpq-fe.h>

#include <vector>

namespace fencegate::storage::postgres {
namespace {

constexpr std::int64_t kVersionMin = 140'000;

// A plan that was right while a table was small stays; so nothing but its keys may lead to a row.
// Whatever the role or the database sets is set here again.
constexpr const char* kSetUp =
    "SET search_path = fencegate, pg_catalog, pg_temp;"
    "SET client_encoding = 'UTF8';"
    "SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_read_only = off;"
    "SET default_transaction_deferrable = off;"
    "SET statement_timeout = 0;"
    "SET lock_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0;"
    "SET plan_cache_mode = force_generic_plan;"
    "SET enable_seqscan = off;"
    "SET enable_hashjoin = off;"
    "SET enable_mergejoin = off;"
    "SET jit = off;"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')";

void note_notice(void* flag, const ::PGresult* notice) {
    const char* severity = ::PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != nullptr && std::string_view(severity) == "WARNING")
        *static_cast<bool*>(flag) = true;
}

std::string first_line(const char* message) {
    const std::string_view text(message);
    return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

void Session::Close::operator()(::pg_conn* connection) const noexcept { ::PQfinish(connection); }

Session::Session(::pg_conn* connection)
    : has_warned_(std::make_unique<bool>(false)), connection_(connection) {
    ::PQsetNoticeReceiver(connection, note_notice, has_warned_.get());
}

Result<Session> Session::open(const ServerUrl& url, const std::string& name) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [key, value] : url.settings()) {
        if (key == "application_name") continue;
        names.push_back(key.c_str());
        values.push_back(value.c_str());
    }
    names.push_back("application_name");
    values.push_back(name.c_str());
    names.push_back(nullptr);
    values.push_back(nullptr);
    Session session(::PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/0));
    if (::PQstatus(session.handle()) != CONNECTION_OK)
        return fail_start(StartFailure::Unavailable,
                          "Cannot reach the store, " + url.place() + ": " + session.why());
    if (auto done = session.set_up(url); !done) return std::unexpected(std::move(done.error()));
    return session;
}

Result<> Session::set_up(const ServerUrl& url) {
    if (::PQserverVersion(handle()) < kVersionMin)
        return fail_start(StartFailure::BadConfig,
                          "The server of the store is older than PostgreSQL 14.");
    auto row =
        ask("SELECT current_setting('fsync'), current_setting('server_encoding'), "
            "pg_is_in_recovery()::int",
            {});
    if (!row) return std::unexpected(std::move(row.error()));
    const bool is_told = row->next();
    if (is_told && row->text(0) != "on")
        return fail_start(StartFailure::BadConfig,
                          "The server of the store runs with fsync off: it would lose what was "
                          "acknowledged. Turn it on.");
    if (is_told && row->text(1) != "UTF8")
        return fail_start(StartFailure::BadConfig, "The store, " + url.place() + ", is in " +
                                                       std::string(row->text(1)) +
                                                       "; it must be in UTF8.");
    if (is_told && row->integer(2) != 0)
        return fail_start(StartFailure::Unavailable,
                          "The server of the store is a standby; name the primary.");
    return run(kSetUp);
}

Result<> Session::run(const char* sql) {
    const Rows rows(::PQexec(handle(), sql));
    const auto status = ::PQresultStatus(rows.handle());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return {};
    return fail(ErrorCode::Internal, "The store refused what a start does: " + why());
}

Result<Rows> Session::ask(const char* sql, std::initializer_list<std::string> values) {
    std::vector<const char*> pointers;
    for (const auto& value : values) pointers.push_back(value.c_str());
    Rows rows(::PQexecParams(handle(), sql, static_cast<int>(pointers.size()), nullptr,
                             pointers.data(), nullptr, nullptr, /*resultFormat=*/0));
    const auto status = ::PQresultStatus(rows.handle());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return rows;
    return fail(ErrorCode::Internal, "The store refused what a start does: " + why());
}

std::string Session::why() const { return first_line(::PQerrorMessage(handle())); }

}  // namespace fencegate::storage::postgres
