#pragma once
// RunRows: one row a job and slot. Decides nothing; the schema alone keeps done and missed final.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class RunRows final : public storage::RunReader {
public:
    explicit RunRows(Connection& connection);

    [[nodiscard]] std::optional<Run> find(std::string_view job, std::string_view slot) override;
    [[nodiscard]] std::vector<Run> list(std::string_view job, std::string_view before,
                                        int limit) override;

    void write(const Changes& changes);

private:
    [[nodiscard]] static Run read(const Statement::Row& row);

    Statement find_;
    Statement put_;
    Statement list_;
};

}  // namespace fencegate::storage::sqlite
