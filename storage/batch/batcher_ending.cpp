// How the store ends: in order, or because its disk has failed, and what everybody is told then.
#include "storage/batch/batcher.hpp"
#include "storage/commands/lines.hpp"
#include "storage/model/operation.hpp"

namespace fencegate::storage {
namespace {

Answer unknown_outcome(const Operation& operation) {
    return refusal({ErrorCode::OutcomeUnknown,
                    idempotency_of(operation) != nullptr
                        ? "The store failed while committing: the outcome is unknown. Repeat the "
                          "call with the same Idempotency-Key to learn it."
                        : "The store failed while committing: the outcome is unknown. Read what "
                          "the call was to change before you repeat it.",
                    {},
                    1'000});
}

Answer failed_before(const Operation& operation) {
    return refusal({ErrorCode::StoreFailed,
                    idempotency_of(operation) != nullptr
                        ? "The store has failed and the gateway is about to stop. Nothing was "
                          "changed by this call. Repeat it with the same Idempotency-Key."
                        : "The store has failed and the gateway is about to stop. Nothing was "
                          "changed by this call. Repeat it.",
                    {},
                    1'000});
}

}  // namespace

std::vector<Routed> Batcher::drain() {
    standing_.waiting.close();
    stats_ = {};
    Unit unit(*store_, standing_, begin_moment());  // reads and writes no row
    for (const auto ticket : standing_.waiting.tickets())
        give_up(unit, ticket, ErrorCode::Draining);
    standing_.live.commit();
    std::vector<Routed> out;
    publish(unit, out);
    return out;
}

// A read of the commit that failed has changed nothing; who waits may have been granted by it.
void Batcher::fail_all(std::span<const Request> failed, std::span<const Request> rest,
                       std::vector<Routed>& out) {
    for (const auto& request : failed) {
        const auto& operation = request.command.operation;
        out.push_back(
            {request.home,
             {request.ticket, access_of(operation) != Access::Write ? failed_before(operation)
                                                                    : unknown_outcome(operation)}});
    }
    for (const auto& request : rest)
        out.push_back({request.home, {request.ticket, failed_before(request.command.operation)}});
    for (const auto ticket : standing_.waiting.tickets()) {
        const auto* waiting = standing_.waiting.find(ticket);
        out.push_back({waiting->home, {ticket, unknown_outcome(waiting->command.operation)}});
        standing_.waiting.remove(ticket);
    }
}

}  // namespace fencegate::storage
