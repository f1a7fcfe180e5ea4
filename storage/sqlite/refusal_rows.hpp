#pragma once
// RefusalRows: the record of writes that the fence refused, kept with the lease whose token was
// presented. Bounded: the first kRefusalsKept of a lease, then only their number.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "lockmgr/fencing_token.hpp"
#include "storage/model/refused_write.hpp"
#include "storage/sqlite/connection.hpp"

#include <cstdint>
#include <vector>

namespace fencegate::storage::sqlite {

inline constexpr std::int64_t kRefusalsKept = 100;

class RefusalRows {
public:
    explicit RefusalRows(Connection& connection);

    void add(lockmgr::FencingToken token, const RefusedWrite& refused);
    [[nodiscard]] std::int64_t count(lockmgr::FencingToken token);
    // The first ones.
    [[nodiscard]] std::vector<RefusedWrite> of(lockmgr::FencingToken token, std::int64_t limit);

private:
    Statement count_up_;
    Statement count_;
    Statement insert_;
    Statement find_;
};

}  // namespace fencegate::storage::sqlite
