#include "storage/postgres/migrations.hpp"

#include "base/start_failure.hpp"
#include "storage/postgres/schema.hpp"

#include <iterator>
#include <string>

namespace fencegate::storage::postgres {
namespace {

constexpr std::int64_t kVersion = std::ssize(kMigrations);
// The oldest program that may serve what these migrations leave.
constexpr std::int64_t kServesVersion = 1;

constexpr const char* kMakeSchema = "CREATE SCHEMA fencegate";
// Any number will do, if everybody has the same.
constexpr const char* kLock = "BEGIN; SELECT pg_advisory_xact_lock(7161342018)";
constexpr const char* kHasSchema =
    "SELECT (to_regnamespace('fencegate') IS NOT NULL)::int, "
    "(to_regclass('fencegate.cluster') IS NOT NULL)::int";
constexpr const char* kVersions = "SELECT schema, serves_schema FROM cluster WHERE id = 1";
constexpr const char* kNote =
    "UPDATE cluster SET schema = $1::int, serves_schema = $2::int WHERE id = 1";

Result<> refuse_newer(std::int64_t version) {
    return fail_start(StartFailure::BadData, "The store has schema " + std::to_string(version) +
                                                 ", and this program " + std::to_string(kVersion) +
                                                 ". Start the newer version of fencegate.");
}

// The version that is there; 0: none.
Result<std::int64_t> look(Session& session) {
    auto has = session.ask(kHasSchema, {});
    if (!has) return std::unexpected(has.error());
    if (!has->next()) return 0;
    if (has->integer(0) == 0) {
        if (auto made = session.run(kMakeSchema); !made) return std::unexpected(made.error());
    }
    if (has->integer(1) == 0) return 0;
    auto versions = session.ask(kVersions, {});
    if (!versions) return std::unexpected(versions.error());
    if (!versions->next()) return 0;
    const auto version = versions->integer(0);
    if (version > kVersion && versions->integer(1) > kVersion)
        return std::unexpected(refuse_newer(version).error());
    return version;
}

Result<> run_from(Session& session, std::int64_t version) {
    if (version >= kVersion) return {};
    for (auto at = version; at < kVersion; ++at) {
        if (auto done = session.run(kMigrations[at]); !done) return done;
    }
    auto noted = session.ask(kNote, {std::to_string(kVersion), std::to_string(kServesVersion)});
    if (!noted) return std::unexpected(noted.error());
    return {};
}

}  // namespace

Result<> migrate(Session& session) {
    if (auto locked = session.run(kLock); !locked) return locked;
    const auto version = look(session);
    if (!version) return std::unexpected(version.error());
    if (auto done = run_from(session, *version); !done) return done;
    return session.run("COMMIT");
}

}  // namespace fencegate::storage::postgres
