#pragma once
// PaymentQueries: lists of payments. Writes nothing.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/unit/batch.hpp"

namespace fencegate::storage {

class PaymentQueries {
public:
    explicit PaymentQueries(Tables& tables) : tables_(tables) {}

    [[nodiscard]] Answer read(const ListPayments& list);

private:
    [[nodiscard]] Answer by_reference(const ListPayments& list);

    Tables& tables_;
};

}  // namespace fencegate::storage
