#pragma once
// SqliteRows: the rows of a file, read on the store's own connection and kept up to date by
// SQLite's own word on which rows changed. The one place of the simulation that knows the schema.
// Thread rule: one thread. REQUIRES: the reader dies before the connection.

#include "storage/sqlite/connection.hpp"
#include "tests/simulation/rows.hpp"

#include <set>

namespace fencegate::simulation {

class SqliteRows final : public RowReader {
public:
    explicit SqliteRows(storage::sqlite::Connection& connection);
    ~SqliteRows() override;

    // SQLite also names rows whose change was taken back.
    const Rows& refresh() override;

private:
    void read_lease(std::int64_t token);
    void read_further_locks(std::int64_t token, LeaseRow& lease);
    void read_answer(std::int64_t id);
    void read_transfer(std::int64_t id);
    // Tables without row ids, which SQLite does not name, are small and read as a whole.
    void read_small_tables();

    storage::sqlite::Connection& connection_;
    storage::sqlite::Statement lease_;
    storage::sqlite::Statement further_locks_;
    storage::sqlite::Statement refusals_;
    storage::sqlite::Statement answer_;
    storage::sqlite::Statement transfer_;
    storage::sqlite::Statement payments_;
    storage::sqlite::Statement heads_;
    storage::sqlite::Statement runs_;
    storage::sqlite::Statement elections_;
    storage::sqlite::Statement counter_;
    std::set<std::int64_t> leases_changed_;
    std::set<std::int64_t> answers_changed_;
    std::set<std::int64_t> transfers_changed_;
};

}  // namespace fencegate::simulation
