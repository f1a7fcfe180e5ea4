#pragma once
// PaymentRows: payments and the journal of transfers, one method a statement.
// Decides nothing; the rules are in storage/payment_rules. Thread rule: as its Connection.
// Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "storage/payment.hpp"
#include "storage/sqlite/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

// Who moved money, under which fence, when.
struct TransferContext {
    Uuid public_id;
    std::optional<std::int64_t> token;
    std::string_view principal;
    std::string_view reason;
    WallTime now;
};

class PaymentRows {
public:
    explicit PaymentRows(Connection& connection);

    void insert(const Payment& payment);
    void update(const Payment& payment);
    [[nodiscard]] std::optional<Payment> find(std::string_view id);

    void insert_transfer(const Payment& payment, const TransferDraft& draft,
                         const TransferContext& context);
    // Refunds of one payment in journal order, at most `limit`, after the transfer `after`.
    [[nodiscard]] std::vector<Refund> refunds(std::string_view payment_id, std::int64_t after,
                                              int limit);

private:
    Statement insert_;
    Statement update_;
    Statement find_;
    Statement insert_transfer_;
    Statement refunds_;
};

}  // namespace fencegate::storage::sqlite
