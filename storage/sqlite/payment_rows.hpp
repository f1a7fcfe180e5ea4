#pragma once
// PaymentRows: payments, their references and their refunds, one method a statement. The journal
// is written by Journal.
// Decides nothing; the rules are in storage/payment_rules. Thread rule: as its Connection.
// Errors: the Connection's failure(); a method then returns nothing or does nothing.

#include "storage/money/payment.hpp"
#include "storage/sqlite/connection.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class PaymentRows {
public:
    explicit PaymentRows(Connection& connection);

    void insert(const Payment& payment);
    void update(const Payment& payment);
    [[nodiscard]] std::optional<Payment> find(std::string_view id);

    // The payment that has this reference of this principal.
    [[nodiscard]] std::optional<std::string> find_reference(std::string_view reference,
                                                            std::string_view principal);
    void insert_reference(const Payment& payment, std::string_view principal);

    // Up to `limit` payments that are held, not captured, and authorized before `hour`, in order
    // from behind `after` on.
    struct Hold {
        std::int64_t hour = -1;
        std::string payment_id{};
    };
    [[nodiscard]] std::vector<Hold> holds_before(std::int64_t hour, const Hold& after, int limit);

    // Refunds of one payment, newest first, at most `limit`, older than the transfer `before`
    // (0: from the newest on). Nothing if `before` is not a transfer of the payment.
    [[nodiscard]] std::optional<std::vector<Refund>> refunds(const Payment& payment,
                                                             std::int64_t before, int limit);

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
