#pragma once
// The outbox. Every movement of the journal is an event; consumers read them by place, and may say
// how far they have come. Nothing is ever taken out: the journal is the outbox, so an event exists
// exactly if what it tells was committed.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadEvents& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadConsumer& read);
// Never goes back: a position behind the one that stands changes nothing, and the answer tells
// which stands.
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const Acknowledge& what);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ForgetConsumer& what);

inline constexpr std::int64_t kConsumersPerPrincipalMax = 100;

}  // namespace fencegate::storage
