#pragma once
// PaymentCommands: create, capture, refund, cancel and read. Each write is, inside one savepoint:
// fence, version, business rule, payment row, journal; dispatch() looks its key up before and
// records the answer behind it.
// Promises served: 2 (atomic fence), 5 (at most once), 6 (a refusal has no effect).
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/money/payment_rules.hpp"
#include "storage/unit/batch.hpp"

#include <optional>

namespace fencegate::storage {

class PaymentCommands {
public:
    PaymentCommands(Tables& tables, const lockmgr::LockClasses& classes, Random& random);

    [[nodiscard]] Answer create(Batch& batch, const Command& command, const CreatePayment& create);
    [[nodiscard]] Answer move(Batch& batch, const Command& command, const MovePayment& move);
    [[nodiscard]] Answer read(const ReadPayment& read);
    [[nodiscard]] Answer read(const ListRefunds& list);

private:
    [[nodiscard]] Answer create_new(Batch& batch, const CreatePayment& create,
                                    const Movement& movement);
    [[nodiscard]] std::optional<Answer> refuse_new(const CreatePayment& create,
                                                   std::string_view principal);
    [[nodiscard]] Answer decide_move(const Payment& payment, const MovePayment& move,
                                     const Movement& movement);

    Tables& tables_;
    const lockmgr::LockClasses& classes_;
    Random& random_;
};

}  // namespace fencegate::storage
