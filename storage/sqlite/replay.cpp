#include "storage/sqlite/replay.hpp"

#include "storage/sqlite/views.hpp"

namespace fencegate::storage::sqlite {
namespace {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseState;

Answer replay_grant(Tables& tables, const Batch& batch, const Lease& lease) {
    Answer answer;
    answer.body = lease_document(view_of(tables, lease, batch.now));
    answer.resource_id = to_string(lease.id);
    answer.fencing_token = lease.token.value();
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

std::optional<Answer> in_flight(const WaitingRoom& room, Batch& batch,
                                const Idempotency& idempotency) {
    const auto* waiting = room.find_key(idempotency);
    if (waiting == nullptr) return std::nullopt;
    const bool is_same = waiting->acquire().idempotency->fingerprint == idempotency.fingerprint;
    batch.events.emplace_back(IdempotencyEvent{is_same ? IdempotencyEvent::Result::InFlight
                                                       : IdempotencyEvent::Result::Mismatch});
    if (!is_same)
        return refusal({ErrorCode::IdempotencyMismatch,
                        "A waiting acquire uses this Idempotency-Key for another request.",
                        {},
                        -1});
    return refusal({ErrorCode::IdempotencyInFlight,
                    "An acquire with this Idempotency-Key is still waiting. Retry to read its "
                    "outcome.",
                    {},
                    1'000});
}

// The answer is kept longer than the lease it granted.
Answer forgotten() {
    return refusal(
        {ErrorCode::LeaseNotFound,
         "The lease granted under this Idempotency-Key ended so long ago that its record "
         "is no longer kept. Acquire again with a new key.",
         {},
         -1});
}

bool is_grant(const StoredAnswer& stored) { return !stored.error && stored.body.empty(); }

}  // namespace

std::optional<Answer> replay(Tables& tables, Batch& batch, std::string_view principal,
                             const Idempotency& idempotency) {
    auto stored = tables.answers.find(principal, idempotency);
    if (!stored) return in_flight(tables.room, batch, idempotency);
    if (stored->fingerprint != idempotency.fingerprint) {
        batch.events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::Mismatch});
        return refusal({ErrorCode::IdempotencyMismatch,
                        "This Idempotency-Key was used before with another method, path or body. "
                        "Use a new key for a new operation.",
                        {},
                        -1});
    }
    std::optional<Lease> lease;
    if (stored->token) lease = tables.leases.find(FencingToken(*stored->token));
    batch.events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::Replayed});
    if (is_grant(*stored) && !lease) return forgotten();
    auto answer =
        is_grant(*stored) ? replay_grant(tables, batch, *lease) : replay_stored(*std::move(stored));
    answer.is_replayed = true;
    if (lease) {
        answer.fence_status =
            lease->state == LeaseState::Live ? FenceStatus::Live : FenceStatus::Stale;
    }
    return answer;
}

void remember(Tables& tables, Batch& batch, const Command& command, const Idempotency& idempotency,
              const Answer& answer, std::optional<std::int64_t> token) {
    StoredAnswer stored;
    stored.fingerprint = idempotency.fingerprint;
    stored.token = token;
    if (answer.error) stored.error = answer.error->code;
    stored.body = answer.error ? answer.error->detail : answer.body;
    stored.resource_id = answer.resource_id;
    stored.request_id = command.request_id;
    stored.version = answer.version;
    tables.answers.insert(command.principal, idempotency, stored, {batch.wall, batch.hour});
    batch.events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::New});
}

void remember_grant(Tables& tables, Batch& batch, const Command& command,
                    const Idempotency& idempotency, const Lease& lease) {
    remember(tables, batch, command, idempotency, Answer{}, lease.token.value());
}

}  // namespace fencegate::storage::sqlite
