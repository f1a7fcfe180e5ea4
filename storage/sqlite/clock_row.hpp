#pragma once
// ClockRow: the row that keeps the store's time; see StoreClock.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/unit/store_clock.hpp"

#include <optional>

namespace fencegate::storage::sqlite {

class ClockRow {
public:
    explicit ClockRow(Connection& connection);

    [[nodiscard]] std::optional<ClockAnchor> read();
    void write(const ClockAnchor& anchor);

private:
    Statement read_;
    Statement write_;
};

}  // namespace fencegate::storage::sqlite
