#pragma once
// Create, capture, refund, cancel and read payments. Each write is, before anything is written:
// fence, version, business rule; then payment row and journal. dispatch() looks its key up before
// and records the answer behind it.
// Promises served: 2 (atomic fence), 5 (at most once), 6 (a refusal has no effect).
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const CreatePayment& create);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const MovePayment& move);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadPayment& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ListRefunds& list);

}  // namespace fencegate::storage
