#pragma once
// From a command to the one method that carries it out.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/commands/election_commands.hpp"
#include "storage/commands/event_commands.hpp"
#include "storage/commands/ledger_queries.hpp"
#include "storage/commands/lock_commands.hpp"
#include "storage/commands/lock_queries.hpp"
#include "storage/commands/payment_commands.hpp"
#include "storage/commands/payment_queries.hpp"
#include "storage/commands/run_commands.hpp"

#include <optional>

namespace fencegate::storage {

// Everything that carries out commands on one set of tables.
struct Commands {
    Commands(Tables& shared, const lockmgr::LockClasses& classes, Random& random)
        : tables(shared),
          locks(shared, classes, random),
          queries(shared, classes),
          elections(shared, classes, locks),
          runs(shared, classes, locks),
          payments(shared, classes, random),
          payment_queries(shared),
          ledger(shared),
          events(shared) {}
    Tables& tables;
    LockCommands locks;
    LockQueries queries;
    ElectionCommands elections;
    RunCommands runs;
    PaymentCommands payments;
    PaymentQueries payment_queries;
    LedgerQueries ledger;
    EventCommands events;
};

// True for what never writes and so needs no savepoint.
[[nodiscard]] bool is_read(const Operation& operation);
// True for a read that may look at hundreds of rows.
[[nodiscard]] bool is_long_read(const Operation& operation);

// Nothing: the caller waits.
[[nodiscard]] std::optional<Answer> dispatch(Commands& commands, Batch& batch,
                                             const Request& request);

}  // namespace fencegate::storage
