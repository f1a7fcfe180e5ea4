#pragma once
// ElectionRows: what the leader of each election proclaimed last. Who leads is a lease, not a row
// here. Thread rule: as its Connection. Errors: the Connection's failure().

#include "base/clock.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate::storage::sqlite {

class ElectionRows final : public storage::ElectionReader {
public:
    explicit ElectionRows(Connection& connection);

    [[nodiscard]] std::optional<Proclamation> find(std::string_view election) override;

    void write(const Changes& changes);

private:
    Statement proclaim_;
    Statement find_;
};

}  // namespace fencegate::storage::sqlite
