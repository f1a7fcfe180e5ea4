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

    // Appends to the journal and makes the transfer the head of the payment's chain, which the
    // caller writes with update().
    void insert_transfer(Payment& payment, const TransferDraft& draft,
                         const TransferContext& context);
    // Refunds of one payment, newest first, at most `limit`, older than the transfer `before`
    // (0: from the newest on). Nothing if `before` is not a transfer of the payment.
    [[nodiscard]] std::optional<std::vector<Refund>> refunds(const Payment& payment,
                                                             std::int64_t before, int limit);

private:
    Connection& connection_;
    Statement insert_;
    Statement update_;
    Statement find_;
    Statement insert_transfer_;
    Statement find_transfer_;
};

}  // namespace fencegate::storage::sqlite
