#include "storage/commands/dispatch.hpp"

#include "storage/commands/release_on_write.hpp"
#include "storage/commands/replay.hpp"
#include "storage/model/remedies.hpp"

namespace fencegate::storage {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

template <class... Reads>
bool holds_one_of(const Operation& operation) {
    return (std::holds_alternative<Reads>(operation) || ...);
}

}  // namespace

bool is_read(const Operation& operation) {
    return holds_one_of<ReadLease, ReadLock, ListLocks, ReadHistory, VerifyFence, FindDeadlocks,
                        ReadLongestHeld, ReadAdvice, ReadElection, ReadRun, ListRuns, ReadPayment,
                        ListRefunds, ListPayments, ReadAccounts, ListEntries, ReadStatement,
                        ReadEvents, ReadConsumer>(operation);
}

bool is_long_read(const Operation& operation) {
    return holds_one_of<ListLocks, ReadHistory, FindDeadlocks, ReadLongestHeld, ListRuns,
                        ListRefunds, ListPayments, ListEntries, ReadStatement, ReadEvents>(
        operation);
}

namespace {

// Without regard to a key, but for an acquire: it may wait, and is granted under its key later.
std::optional<Answer> carry_out(Commands& to, Batch& batch, const Request& request) {
    using Reply = std::optional<Answer>;
    const auto& command = request.command;
    return std::visit(
        Overloaded{
            [&](const AcquireLock&) { return to.locks.acquire(batch, request); },
            [&](const RenewLease& renew) { return Reply(to.locks.renew(batch, command, renew)); },
            [&](const ReleaseLease& release) {
                return Reply(to.locks.release(batch, command, release));
            },
            [&](const BreakLock& broken) { return Reply(to.locks.break_lock(batch, broken)); },
            [&](const ReadLease& read) { return Reply(to.queries.read(batch, read)); },
            [&](const ReadLock& read) { return Reply(to.queries.read(batch, read)); },
            [&](const ListLocks& list) { return Reply(to.queries.read(batch, list)); },
            [&](const ReadHistory& history) { return Reply(to.queries.read(batch, history)); },
            [&](const VerifyFence& verify) { return Reply(to.queries.read(batch, verify)); },
            [&](const FindDeadlocks& find) { return Reply(to.queries.read(find)); },
            [&](const ReadLongestHeld& read) { return Reply(to.queries.read(batch, read)); },
            [&](const ReadAdvice& read) { return Reply(to.queries.read(batch, read)); },
            [&](const Proclaim& what) {
                return Reply(to.elections.proclaim(batch, command, what));
            },
            [&](const Resign& what) { return Reply(to.elections.resign(batch, command, what)); },
            [&](const ReadElection& read) { return Reply(to.elections.read(batch, read)); },
            [&](const FinishRun& finish) { return Reply(to.runs.finish(batch, command, finish)); },
            [&](const ReadRun& read) { return Reply(to.runs.read(batch, read)); },
            [&](const ListRuns& list) { return Reply(to.runs.read(batch, list)); },
            [&](const CreatePayment& create) {
                return Reply(to.payments.create(batch, command, create));
            },
            [&](const MovePayment& move) { return Reply(to.payments.move(batch, command, move)); },
            [&](const ReadPayment& read) { return Reply(to.payments.read(read)); },
            [&](const ListRefunds& list) { return Reply(to.payments.read(list)); },
            [&](const ListPayments& list) { return Reply(to.payment_queries.read(list)); },
            [&](const ReadAccounts& read) { return Reply(to.ledger.read(read)); },
            [&](const ListEntries& list) { return Reply(to.ledger.read(list)); },
            [&](const ReadStatement& read) { return Reply(to.ledger.read(read)); },
            [&](const ReadEvents& read) { return Reply(to.events.read(command, read)); },
            [&](const ReadConsumer& read) { return Reply(to.events.read(command, read)); },
            [&](const Acknowledge& what) {
                return Reply(to.events.acknowledge(batch, command, what));
            },
            [&](const ForgetConsumer& what) { return Reply(to.events.forget(command, what)); },
        },
        command.operation);
}

// With the end of the lease, if it is to end with the write.
std::optional<Answer> carry_out_and_release(Commands& to, Batch& batch, const Request& request) {
    auto answer = carry_out(to, batch, request);
    if (request.command.releases_lease && answer && !answer->error)
        release_on_write(to.tables, to.locks, batch, request.command, *answer);
    return answer;
}

std::optional<Answer> carry_out_once(Commands& to, Batch& batch, const Request& request) {
    const auto& command = request.command;
    const auto* key = idempotency_of(command.operation);
    if (key == nullptr || takes_lock(kind_of(command.operation)))
        return carry_out_and_release(to, batch, request);
    if (auto again = replay(to.tables, batch, command, *key)) return again;
    auto answer = carry_out_and_release(to, batch, request);
    remember(to.tables, batch, command, *key, *answer);
    return answer;
}

}  // namespace

std::optional<Answer> dispatch(Commands& to, Batch& batch, const Request& request) {
    auto answer = carry_out_once(to, batch, request);
    if (answer && answer->error) advise(request.command.operation, *answer->error);
    return answer;
}

}  // namespace fencegate::storage
