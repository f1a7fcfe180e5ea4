#include "storage/sqlite/dispatch.hpp"

namespace fencegate::storage::sqlite {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

}  // namespace

bool is_read(const Operation& operation) {
    return std::holds_alternative<ReadLease>(operation) ||
           std::holds_alternative<ReadLock>(operation) ||
           std::holds_alternative<ReadPayment>(operation) ||
           std::holds_alternative<ListRefunds>(operation);
}

std::optional<Answer> dispatch(LockCommands& locks, PaymentCommands& payments, Batch& batch,
                               const Request& request) {
    using Reply = std::optional<Answer>;
    const auto& command = request.command;
    return std::visit(
        Overloaded{
            [&](const AcquireLock&) { return locks.acquire(batch, request); },
            [&](const RenewLease& renew) { return Reply(locks.renew(batch, command, renew)); },
            [&](const ReleaseLease& release) {
                return Reply(locks.release(batch, command, release));
            },
            [&](const BreakLock& broken) { return Reply(locks.break_lock(batch, broken)); },
            [&](const ReadLease& read) { return Reply(locks.read(batch, read)); },
            [&](const ReadLock& read) { return Reply(locks.read(batch, read)); },
            [&](const CreatePayment& create) {
                return Reply(payments.create(batch, command, create));
            },
            [&](const MovePayment& move) { return Reply(payments.move(batch, command, move)); },
            [&](const ReadPayment& read) { return Reply(payments.read(read)); },
            [&](const ListRefunds& list) { return Reply(payments.read(list)); },
        },
        command.operation);
}

}  // namespace fencegate::storage::sqlite
