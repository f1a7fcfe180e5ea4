#pragma once
// What can be read about locks and leases. Writes nothing.
// Thread rule: belongs to the store thread. Call only within a transaction: an answer must not tell
// what the batch before has not made durable.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadLease& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadLock& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ListLocks& list);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadHistory& history);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const VerifyFence& verify);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const FindDeadlocks& find);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadLongestHeld& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadAdvice& read);

// How many circles of waiters there are, up to a bound.
[[nodiscard]] std::size_t count_deadlocks(Unit& unit);

}  // namespace fencegate::storage
