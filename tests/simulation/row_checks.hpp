#pragma once
// What must hold of the rows by themselves, and between them and the timeline, after every batch
// and every restart.
// Thread rule: functions. Errors: throw Violation.

#include "tests/simulation/rows.hpp"
#include "tests/simulation/timeline.hpp"

namespace fencegate::simulation {

// Nothing in the rows that nobody was told, nothing told that is not in the rows.
void check_same(const Timeline& timeline, const Rows& rows);

// Mutual exclusion, the journal against the payments, amounts in order.
void check_sound(const Rows& rows);

// One refund a key, while its answer is kept.
void check_once_a_key(const Timeline& timeline, const Rows& rows);

// Nothing but the unknown batch may differ: true if the rows are those of the timeline.
[[nodiscard]] bool is_same(const Timeline& timeline, const Rows& rows);

}  // namespace fencegate::simulation
