#pragma once
// ConsumerRows: how far the readers of events have come, one method a statement.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

namespace fencegate::storage::sqlite {

class ConsumerRows final : public storage::ConsumerReader {
public:
    explicit ConsumerRows(Connection& connection);

    [[nodiscard]] std::optional<Consumer> find(const std::string& name) override;
    [[nodiscard]] std::int64_t count_of(const std::string& principal) override;
    void write(const Changes& changes);

private:
    Statement find_;
    Statement count_;
    Statement put_;
    Statement erase_;
};

}  // namespace fencegate::storage::sqlite
