// The schema beside what the migrations make: without its triggers the journal can be changed, and
// a trigger of somebody else's changes it.
#include "base/check.hpp"
#include "storage/sqlite/file_checks.hpp"
#include "storage/sqlite/schema.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

using Named = std::pair<std::string, std::string>;  // type and name
struct Made {
    std::string table;
    std::string sql;

    friend bool operator==(const Made&, const Made&) = default;
};
using Schema = std::map<Named, Made>;

// Without comments, and each gap one space: stores keep the text of the release that made them,
// and only comments were ever changed in it. None has a -- within quotes.
std::string bare(std::string_view sql) {
    std::string text;
    while (!sql.empty()) {
        if (sql.starts_with("--")) {
            sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
        } else if (sql.front() == ' ' || sql.front() == '\n') {
            if (!text.ends_with(' ')) text += ' ';
            sql.remove_prefix(1);
        } else {
            text += sql.front();
            sql.remove_prefix(1);
        }
    }
    return text;
}

// Statistics, and the indexes that a table's own constraints need, are SQLite's.
Schema schema_of(Connection& connection) {
    Schema schema;
    Statement objects(connection,
                      "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema "
                      "WHERE substr(name, 1, 11) <> 'sqlite_stat' "
                      "AND substr(name, 1, 17) <> 'sqlite_autoindex_'");
    auto row = objects.query();
    while (row.next())
        schema.emplace(Named(row.text(0), row.text(1)),
                       Made{std::string(row.text(2)), bare(row.text(3))});
    return schema;
}

// A store is made by all migrations one after the other, however long ago the first was.
const Schema& schema_of_this_version() {
    static const Schema schema = [] {
        const auto opened = Connection::open(":memory:");
        FG_CHECK(opened.has_value());
        for (const auto* migration : kMigrations) (*opened)->exec(migration);
        auto made = schema_of(**opened);
        FG_CHECK(!(*opened)->failure());
        return made;
    }();
    return schema;
}

std::string spoken(const Named& named) { return named.first + " " + named.second; }

}  // namespace

void check_objects(Connection& connection, Check& check) {
    const auto& meant = schema_of_this_version();
    const auto found = schema_of(connection);
    if (connection.failure()) return;
    for (const auto& [named, made] : meant) {
        const auto there = found.find(named);
        check.expect(there != found.end() && there->second == made, [&] {
            return spoken(named) + (there == found.end() ? " is missing" : " was changed");
        });
    }
    for (const auto& [named, made] : found) {
        if (!meant.contains(named))
            check.fault(spoken(named) + " of " + made.table + " is not fencegate's");
    }
}

}  // namespace fencegate::storage::sqlite
