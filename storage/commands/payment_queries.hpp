#pragma once
// Lists of payments. Writes nothing.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ListPayments& list);

}  // namespace fencegate::storage
