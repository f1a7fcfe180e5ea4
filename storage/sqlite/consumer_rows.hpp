#pragma once
// ConsumerRows: how far the readers of events have come, one method a statement.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/unit/rows.hpp"

namespace fencegate::storage::sqlite {

class ConsumerRows final : public storage::ConsumerRows {
public:
    explicit ConsumerRows(Connection& connection);

    [[nodiscard]] std::optional<Consumer> find(const std::string& name) override;
    [[nodiscard]] std::int64_t count_of(const std::string& principal) override;
    void put(const Consumer& consumer) override;
    void erase(const std::string& name) override;

private:
    Statement find_;
    Statement count_;
    Statement put_;
    Statement erase_;
};

}  // namespace fencegate::storage::sqlite
