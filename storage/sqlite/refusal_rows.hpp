#pragma once
// RefusalRows: the record of writes that the fence refused, kept with the lease whose token was
// presented, one method a statement.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "lockmgr/fencing_token.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

#include <cstdint>
#include <vector>

namespace fencegate::storage::sqlite {

class RefusalRows final : public storage::RefusalReader {
public:
    explicit RefusalRows(Connection& connection);

    [[nodiscard]] std::int64_t count(lockmgr::FencingToken token) override;
    [[nodiscard]] std::vector<RefusedWrite> of(lockmgr::FencingToken token,
                                               std::int64_t limit) override;

    void write(const Changes& changes);

private:
    Statement count_;
    Statement insert_;
    Statement find_;
};

}  // namespace fencegate::storage::sqlite
