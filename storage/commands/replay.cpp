#include "storage/commands/replay.hpp"

#include "lockmgr/lease_rules.hpp"
#include "storage/commands/fence_guard.hpp"
#include "storage/commands/mismatch.hpp"
#include "storage/commands/purpose.hpp"
#include "storage/unit/views.hpp"

namespace fencegate::storage {
namespace {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;

// The lease of a first answer that has ended since. Its success is not told again: whoever acts on
// one would act without a lock.
Answer replay_ended(Unit& unit, const Command& command, const Lease& lease) {
    if (const auto* acquire = std::get_if<AcquireLock>(&command.operation)) {
        if (auto finished = finished_run(unit, *acquire, lease))
            return refusal(*std::move(finished));
    }
    auto error = lockmgr::check_own_lease(&lease, command.principal).error();
    error.detail = "The lease that this Idempotency-Key was answered with has ended. " +
                   std::move(error.detail);
    describe_lease(unit, lease, /*lock=*/nullptr, error);
    return refusal(std::move(error));
}

Answer replay_lease(Unit& unit, const Command& command, const Lease& lease) {
    if (lease.state != LeaseState::Live) return replay_ended(unit, command, lease);
    Answer answer;
    answer.body = lease_document(view_of(unit, lease));
    answer.resource_id = to_string(lease.id);
    answer.fencing_token = lease.token;
    return answer;
}

Answer replay_stored(StoredAnswer stored) {
    Answer answer;
    if (stored.error) {
        answer.error = Error{*stored.error, std::move(stored.body), {}, -1};
    } else {
        answer.body = std::move(stored.body);
    }
    answer.resource_id = std::move(stored.resource_id);
    answer.first_request_id = std::move(stored.request_id);
    answer.version = stored.version;
    return answer;
}

std::string_view waiting_remedy(const lockmgr::Waiter& waiter, const Command& command) {
    const auto* acquire = std::get_if<AcquireLock>(&command.operation);
    return acquire != nullptr && acquire->owner != waiter.owner ? kRemedyOfAnotherOwner
                                                                : kRemedyOfAnotherCaller;
}

// A waiter that is away has a place to come back to, and nothing else may come in its name.
std::optional<Answer> in_flight(Unit& unit, const Command& command,
                                const Idempotency& idempotency) {
    const auto& waiters = unit.live.waiters();
    const auto* waiter = waiters.find_key(idempotency.digest);
    if (waiter == nullptr) return std::nullopt;
    const bool is_same = waiter->key->request == idempotency.fingerprint;
    if (waiter->is_away() && (is_same || waiters.kept_until(*waiter) <= unit.at))
        return std::nullopt;
    unit.events.emplace_back(IdempotencyEvent{is_same ? IdempotencyEvent::Result::InFlight
                                                      : IdempotencyEvent::Result::Mismatch});
    if (!is_same)
        return refusal({ErrorCode::IdempotencyMismatch,
                        "An acquire waits under this Idempotency-Key, and it asks for something "
                        "else. Nothing was done now.",
                        {{"remedy", std::string(waiting_remedy(*waiter, command))}},
                        -1});
    return refusal({ErrorCode::IdempotencyInFlight,
                    "An acquire with this Idempotency-Key is still waiting. Retry to read its "
                    "outcome.",
                    {},
                    1'000});
}

// The answer is kept longer than the lease it tells of.
Answer forgotten() {
    return refusal({ErrorCode::LeaseNotFound,
                    "The lease that this Idempotency-Key was answered with ended so long ago that "
                    "its record is no longer kept.",
                    {},
                    -1});
}

bool is_to_keep(OperationKind kind, const Answer& answer) {
    if (!answer.error) return true;
    return moves_money(kind) && stored_refusal(code_name(answer.error->code)).has_value();
}

void insert(Unit& unit, const Command& command, const Idempotency& idempotency,
            StoredAnswer stored) {
    stored.fingerprint = idempotency.fingerprint;
    stored.operation = operation_name(kind_of(command.operation));
    stored.request_id = command.request_id;
    unit.answers.insert(command.principal, idempotency, std::move(stored), unit.stamp());
    unit.events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::New});
}

void insert_lease(Unit& unit, const Command& command, const Idempotency& idempotency,
                  FencingToken token) {
    StoredAnswer stored;
    stored.kind = AnswerKind::Lease;
    stored.token = token;
    insert(unit, command, idempotency, std::move(stored));
}

}  // namespace

std::optional<Answer> replay(Unit& unit, const Command& command, const Idempotency& idempotency) {
    auto stored = unit.answers.find(command.principal, idempotency);
    if (!stored) return in_flight(unit, command, idempotency);
    const auto* lease = stored->token ? unit.leases.find(*stored->token) : nullptr;
    if (!stored->is_of(idempotency)) {
        unit.events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::Mismatch});
        return refusal(mismatch(*stored, lease, command));
    }
    unit.events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::Replayed});
    const bool is_lease = stored->kind == AnswerKind::Lease;
    if (is_lease && lease == nullptr) return forgotten();
    const bool has_released = stored->is_released;
    std::optional<Lease> told;
    if (is_lease) lease = &told.emplace(as_told(unit, *lease));
    auto answer =
        is_lease ? replay_lease(unit, command, *lease) : replay_stored(*std::move(stored));
    answer.is_replayed = true;
    if (has_released) {
        answer.fence_status = FenceStatus::Released;
    } else if (lease != nullptr) {
        answer.fence_status =
            lease->state == LeaseState::Live ? FenceStatus::Live : FenceStatus::Stale;
    }
    return answer;
}

void remember(Unit& unit, const Command& command, const Idempotency& idempotency,
              const Answer& answer) {
    const auto kind = kind_of(command.operation);
    if (!is_to_keep(kind, answer)) return;
    if (kind == OperationKind::Renew)
        return insert_lease(unit, command, idempotency, *answer.fencing_token);
    StoredAnswer stored;
    stored.kind = moves_money(kind) ? AnswerKind::Money : AnswerKind::Other;
    stored.token = presented_token(command.operation);
    if (answer.error) stored.error = answer.error->code;
    stored.body = answer.error ? answer.error->detail : answer.body;
    stored.resource_id = answer.resource_id;
    stored.version = answer.version;
    stored.is_released = answer.fence_status == FenceStatus::Released;
    insert(unit, command, idempotency, std::move(stored));
}

void remember_grant(Unit& unit, const Command& command, const Idempotency& idempotency,
                    const Lease& lease) {
    insert_lease(unit, command, idempotency, lease.token);
}

}  // namespace fencegate::storage
