#pragma once
// RunRows: one row a job and slot. Decides nothing; the schema alone keeps done and missed final.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/model/run.hpp"
#include "storage/sqlite/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class RunRows {
public:
    explicit RunRows(Connection& connection);

    [[nodiscard]] std::optional<Run> find(std::string_view job, std::string_view slot);
    // Inserts or replaces.
    void put(const Run& run);
    // Newest slot first, before `before` if that is not empty.
    [[nodiscard]] std::vector<Run> list(std::string_view job, std::string_view before, int limit);

private:
    [[nodiscard]] static Run read(const Statement::Row& row);

    Statement find_;
    Statement put_;
    Statement list_;
};

}  // namespace fencegate::storage::sqlite
