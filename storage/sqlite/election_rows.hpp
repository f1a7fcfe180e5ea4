#pragma once
// ElectionRows: what the leader of each election proclaimed last. Who leads is a lease, not a row
// here. Thread rule: as its Connection. Errors: the Connection's failure().

#include "base/clock.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/unit/rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::storage::sqlite {

class ElectionRows final : public storage::ElectionRows {
public:
    explicit ElectionRows(Connection& connection);

    void proclaim(std::string_view election, lockmgr::FencingToken token, std::string_view value,
                  WallTime now) override;
    [[nodiscard]] std::optional<Proclamation> find(std::string_view election) override;

private:
    Statement proclaim_;
    Statement find_;
};

}  // namespace fencegate::storage::sqlite
