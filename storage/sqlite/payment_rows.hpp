#pragma once
// PaymentRows: payments, their references and their refunds, one method a statement.
// Thread rule: as its Connection.
// Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "storage/sqlite/connection.hpp"
#include "storage/unit/changes.hpp"
#include "storage/unit/readers.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class PaymentRows final : public storage::PaymentReader {
public:
    explicit PaymentRows(Connection& connection);

    [[nodiscard]] std::optional<Payment> find(std::string_view id) override;
    [[nodiscard]] std::optional<std::string> find_reference(std::string_view reference,
                                                            std::string_view principal) override;
    [[nodiscard]] std::vector<Hold> holds_before(std::int64_t hour, const Hold& after,
                                                 int limit) override;
    [[nodiscard]] std::optional<std::vector<Refund>> refunds(const Payment& payment,
                                                             std::int64_t before,
                                                             int limit) override;

    void write(const Changes& changes);

private:
    Statement insert_;
    Statement update_;
    Statement find_;
    Statement find_reference_;
    Statement insert_reference_;
    Statement find_holds_;
    Statement find_transfer_;
};

}  // namespace fencegate::storage::sqlite
