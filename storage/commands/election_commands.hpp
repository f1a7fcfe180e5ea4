#pragma once
// An election is a lock with a value. Campaigning is acquiring the lock of the election; here is
// what a leader does, under its token, and what everybody may read.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const Proclaim& proclaim);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const Resign& resign);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadElection& read);

}  // namespace fencegate::storage
