#pragma once
// How a run ends and what is known of runs. Claiming one is acquiring its lock (purpose.hpp); it
// ends under the token of that claim, and done is final.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

namespace fencegate::storage {

// Records the outcome and releases the claim, in one transaction. Said twice under the same token
// it is answered the same twice.
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const FinishRun& finish);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ReadRun& read);
[[nodiscard]] Answer carry_out(Unit& unit, const Command& command, const ListRuns& list);

}  // namespace fencegate::storage
