#include "storage/commands/dispatch.hpp"

#include "storage/commands/election_commands.hpp"
#include "storage/commands/event_commands.hpp"
#include "storage/commands/ledger_queries.hpp"
#include "storage/commands/lock_commands.hpp"
#include "storage/commands/lock_queries.hpp"
#include "storage/commands/payment_commands.hpp"
#include "storage/commands/payment_queries.hpp"
#include "storage/commands/release_on_write.hpp"
#include "storage/commands/replay.hpp"
#include "storage/commands/run_commands.hpp"
#include "storage/model/remedies.hpp"

#include <type_traits>
#include <variant>

namespace fencegate::storage {
namespace {

// Without regard to a key, but for an acquire: it may wait, and is granted under its key later.
std::optional<Answer> carry_out(Unit& unit, const Request& request) {
    return std::visit(
        [&](const auto& operation) -> std::optional<Answer> {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(operation)>, AcquireLock>) {
                return carry_out(unit, request, operation);
            } else {
                return carry_out(unit, request.command, operation);
            }
        },
        request.command.operation);
}

// With the end of the lease, if it is to end with the write.
std::optional<Answer> carry_out_and_release(Unit& unit, const Request& request) {
    auto answer = carry_out(unit, request);
    if (request.command.releases_lease && answer && !answer->error)
        release_on_write(unit, request.command, *answer);
    return answer;
}

std::optional<Answer> carry_out_once(Unit& unit, const Request& request) {
    const auto& command = request.command;
    const auto* key = idempotency_of(command.operation);
    if (key == nullptr || takes_lock(kind_of(command.operation)))
        return carry_out_and_release(unit, request);
    if (auto again = replay(unit, command, *key)) return again;
    auto answer = carry_out_and_release(unit, request);
    remember(unit, command, *key, *answer);
    return answer;
}

}  // namespace

std::optional<Answer> dispatch(Unit& unit, const Request& request) {
    auto answer = carry_out_once(unit, request);
    if (answer && answer->error) advise(request.command.operation, *answer->error);
    return answer;
}

}  // namespace fencegate::storage
