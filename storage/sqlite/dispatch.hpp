#pragma once
// From a command to the one method that carries it out.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT.

#include "storage/sqlite/election_commands.hpp"
#include "storage/sqlite/event_commands.hpp"
#include "storage/sqlite/ledger_queries.hpp"
#include "storage/sqlite/lock_commands.hpp"
#include "storage/sqlite/lock_queries.hpp"
#include "storage/sqlite/payment_commands.hpp"
#include "storage/sqlite/payment_queries.hpp"
#include "storage/sqlite/run_commands.hpp"

#include <optional>

namespace fencegate::storage::sqlite {

// Everything that carries out commands on one set of tables.
struct Commands {
    Commands(Connection& connection, Tables& shared, const lockmgr::LockClasses& classes,
             Random& random)
        : tables(shared),
          locks(shared, classes, random),
          queries(shared, classes),
          elections(shared, classes, locks),
          runs(shared, classes, locks),
          payments(shared, classes, random),
          payment_queries(shared),
          ledger(shared),
          events(shared, connection) {}
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

}  // namespace fencegate::storage::sqlite
