#pragma once
// Lines: who waits for locks, who is next, who gives up, and what falls due. A waiter is granted
// in the transaction that freed its lock, before anybody who asks later.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "storage/unit/unit.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace fencegate::storage {

// The place in line that was kept for who asks under this key, which is then its again.
[[nodiscard]] std::optional<lockmgr::Waiter> take_up_place(Unit& unit,
                                                           const std::optional<Idempotency>& key);
// Puts the asker in line, at its old place if it had one. nullopt: it waits.
[[nodiscard]] std::optional<Answer> wait(Unit& unit, const Request& request, Duration ttl,
                                         const lockmgr::LockClass& klass,
                                         const std::optional<lockmgr::Waiter>& place);
// The refusal after a wait that was in vain; keeps the place where that can be.
[[nodiscard]] Answer step_away(Unit& unit, lockmgr::Waiter waiter);
// The refusal because of a lock that cannot be had now. `kept` is the asker's place in line,
// nullptr if it has none.
[[nodiscard]] Answer held(Unit& unit, const std::vector<lockmgr::LockName>& locks,
                          const lockmgr::Waiter* kept = nullptr);

// Grants to who is first in a line that moved, or tells it that it is too late. False: nobody can
// be served.
bool serve_next(Unit& unit);
// Leaves the lines that moved for a later batch; nobody is granted out of turn meanwhile.
void serve_later(Unit& unit);

[[nodiscard]] bool is_due(const Unit& unit);
// Ends the lease that ran out first, or the rest of the lock that has rested longest.
void run_due(Unit& unit);
// Answers waiters whose patience ended by now, at most `max`.
void time_out_due(Unit& unit, std::size_t max);
// Forgets places whose waiters have stayed away for too long, at most `max`.
void give_away_places(Unit& unit, std::size_t max);
// Takes a waiter out and answers it `why`; its place is kept if its client has just left. Does
// nothing if it does not wait.
void give_up(Unit& unit, Ticket ticket, ErrorCode why);
// The same for one that cannot be granted: it is answered so, and did not give up.
void turn_away(Unit& unit, Ticket ticket, Answer answer);

}  // namespace fencegate::storage
