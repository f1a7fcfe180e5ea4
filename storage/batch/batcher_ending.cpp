// How the store ends: in order, or because its disk has failed, and what everybody is told then.
#include "storage/batch/batcher.hpp"
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
    commands_.locks.refuse_waiting();
    stats_ = {};
    const auto now = clock_.boot_now();
    Batch batch{.now = now, .wall = look_at_clock(now)};
    for (const auto ticket : tables_.room.tickets())
        commands_.locks.give_up(batch, ticket, ErrorCode::Draining);
    tables_.live.commit();
    std::vector<Routed> out;
    publish(batch, out);
    return out;
}

// A read of the commit that failed has changed nothing; who waits may have been granted by it.
void Batcher::fail_all(std::span<const Request> failed, std::span<const Request> rest,
                       std::vector<Routed>& out) {
    for (const auto& request : failed) {
        const auto& operation = request.command.operation;
        out.push_back({request.home,
                       {request.ticket, is_read(operation) ? failed_before(operation)
                                                           : unknown_outcome(operation)}});
    }
    for (const auto& request : rest)
        out.push_back({request.home, {request.ticket, failed_before(request.command.operation)}});
    for (const auto ticket : tables_.room.tickets()) {
        const auto* waiting = tables_.room.find(ticket);
        out.push_back({waiting->home, {ticket, unknown_outcome(waiting->command.operation)}});
        tables_.room.remove(ticket);
    }
}

}  // namespace fencegate::storage
