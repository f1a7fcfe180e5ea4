// What was told, and which promise a wrong answer breaks.
#include "tests/simulation/judge.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/answers.hpp"
#include "tests/support/tokens.hpp"

namespace fencegate::simulation {
std::string_view name_of(const storage::Operation& operation) {
    constexpr std::string_view kNames[] = {
        "acquire",        "renew",        "release",       "read-lease",    "read-lock",
        "list-locks",     "history",      "verify-fence",  "deadlocks",     "longest-held",
        "advice",         "break",        "proclaim",      "resign",        "election",
        "finish",         "read-run",     "list-runs",     "create",        "move",
        "read-payment",   "list-refunds", "list-payments", "read-accounts", "list-entries",
        "read-statement", "read-events",  "acknowledge",   "read-consumer", "forget-consumer"};
    static_assert(std::size(kNames) == std::variant_size_v<storage::Operation>);
    return kNames[operation.index()];
}

std::string describe(const Command& command) {
    auto text =
        text_of(command.request_id, " ", name_of(command.operation), " by ", command.principal);
    if (const auto* acquire = std::get_if<storage::AcquireLock>(&command.operation))
        text += text_of(" of ", text_of_locks(locks_of(*acquire)), " ",
                        lock_mode_name(acquire->claim.mode), " ", acquire->claim.permits, " ttl ",
                        acquire->ttl ? acquire->ttl->count() : 0, " wait ", acquire->wait.count(),
                        acquire->idempotency ? " key " + acquire->idempotency->key : "");
    if (const auto* move = std::get_if<storage::MovePayment>(&command.operation))
        text += text_of(" kind ", static_cast<int>(move->kind), " of ", move->payment_id,
                        " amount ", move->amount_minor.value_or(-1), " token ",
                        testing::number_of(move->token), " key ", move->idempotency.key);
    if (const auto* create = std::get_if<storage::CreatePayment>(&command.operation))
        text += text_of(" of ", create->id, " token ", testing::number_of(create->token));
    if (const auto* finish = std::get_if<storage::FinishRun>(&command.operation))
        text += text_of(" of ", run_lock(finish->job, finish->slot), " as ",
                        finish->is_done ? "done" : "failed", " token ",
                        testing::number_of(finish->token));
    if (const auto* proclaim = std::get_if<storage::Proclaim>(&command.operation))
        text += text_of(" in ", proclaim->election, " token ", testing::number_of(proclaim->token));
    if (const auto* resign = std::get_if<storage::Resign>(&command.operation))
        text += text_of(" from ", resign->election, " token ", testing::number_of(resign->token));
    if (command.releases_lease) text += " and release";
    if (const auto* renew = std::get_if<storage::RenewLease>(&command.operation))
        text += " of " + to_string(renew->lease_id);
    if (const auto* release = std::get_if<storage::ReleaseLease>(&command.operation))
        text += " of " + to_string(release->lease_id);
    if (const auto* broken = std::get_if<storage::BreakLock>(&command.operation))
        text += text_of(" of ", broken->lock.value(), " seen ", broken->seen_token.value());
    return text;
}

std::string describe(const Answer& answer) {
    std::string text = answer.error ? std::string(code_name(answer.error->code)) : "ok";
    if (answer.fencing_token) text += text_of(" token ", answer.fencing_token->value());
    if (answer.is_replayed) text += " replayed";
    if (answer.fence_status == storage::FenceStatus::Released) text += " released";
    return text;
}

const Answer* Judge::take_answer(Ticket ticket) {
    const auto found = left_.find(ticket);
    if (found == left_.end()) return nullptr;
    taken_ = std::move(found->second);
    left_.erase(found);
    return &taken_;
}

void Judge::expect_refusal(const Request& request, ErrorCode code, Rule if_accepted) {
    is_refused_ = true;
    expect_refusal(request.ticket, request.command, code, if_accepted);
}

void Judge::expect_refusal(Ticket ticket, const Command& command, ErrorCode code,
                           Rule if_accepted) {
    if (!is_told_) return;
    const auto* answer = take_answer(ticket);
    const auto wanted = std::string(code_name(code));
    if (answer == nullptr)
        throw Violation(if_accepted, describe(command) + ": no answer instead of " + wanted);
    if (!answer->error)
        throw Violation(if_accepted,
                        describe(command) + ": " + describe(*answer) + " instead of " + wanted);
    if (answer->error->code != code)
        throw Violation(Rule::Answer,
                        describe(command) + ": " + describe(*answer) + " instead of " + wanted);
    refused_.push_back(command.request_id);
}

const Answer* Judge::expect_success(Ticket ticket, const Command& command, Rule if_refused) {
    if (!is_told_) return nullptr;
    const auto* answer = take_answer(ticket);
    if (answer == nullptr)
        throw Violation(if_refused, describe(command) + ": no answer instead of success");
    if (answer->error)
        throw Violation(if_refused,
                        describe(command) + ": " + describe(*answer) + " instead of success");
    if (answer->is_replayed)
        throw Violation(Rule::S6OnceAKey, describe(command) + " is replayed and never was done");
    return answer;
}

// Asked for again without a key, and nothing is left to do: a success that says so.
void Judge::expect_repeated(const Request& request) {
    if (!is_told_) return;
    const auto& command = request.command;
    const auto* answer = take_answer(request.ticket);
    if (answer == nullptr || answer->error)
        throw Violation(Rule::EndedStaysEnded,
                        describe(command) + ": " +
                            (answer == nullptr ? "no answer" : describe(*answer)) +
                            " to what had been done before");
    if (!answer->is_replayed)
        throw Violation(Rule::Answer, describe(command) + " does not say that it was done before");
}

void Judge::expect_text(const Answer* answer, const Command& command,
                        const std::string& part) const {
    if (answer == nullptr || answer->body.find(part) != std::string::npos) return;
    throw Violation(Rule::Answer,
                    describe(command) + ": " + part + " is not in its answer " + answer->body);
}

void Judge::expect_place(const WaitingAcquire& waiter, std::optional<Duration> kept) const {
    if (!is_told_) return;
    const auto lock = testing::member_of(taken_, "lock").value_or("");
    const auto number = kept ? waiter.place : timeline_.last_place + 1;
    const auto wanted = kept ? std::optional(std::to_string(kept->count())) : std::nullopt;
    const auto before = std::to_string(timeline_.places_before(lock, number));
    if (testing::member_of(taken_, "waiters_ahead") != before)
        throw Violation(Rule::Answer, describe(waiter.command) + ": " + before +
                                          " are ahead of it, and it was told otherwise");
    if (testing::member_of(taken_, "place_kept_ms") != wanted)
        throw Violation(Rule::Answer, describe(waiter.command) + " was told of its place wrongly");
}

bool Judge::is_answered_by_key(const Request& request, const storage::Idempotency& idempotency) {
    const auto key = key_of(request.command, idempotency);
    if (const auto known = timeline_.keys.find(key); known != timeline_.keys.end()) {
        if (known->second.fingerprint == idempotency.fingerprint) {
            expect_replay(request, known->second);
        } else {
            expect_refusal(request, ErrorCode::IdempotencyMismatch, Rule::S6OnceAKey);
        }
        is_answered_by_key_ = true;
        return true;
    }
    const auto is_same = [&](const WaitingAcquire& first) {
        return first.acquire().idempotency->fingerprint == idempotency.fingerprint;
    };
    if (const auto* first = timeline_.find_waiting_key(key)) {
        expect_refusal(
            request,
            is_same(*first) ? ErrorCode::IdempotencyInFlight : ErrorCode::IdempotencyMismatch,
            Rule::S6OnceAKey);
        return true;
    }
    const auto* place = timeline_.find_place(key);
    if (place == nullptr || place->until <= at_ || is_same(place->waiter)) return false;
    expect_refusal(request, ErrorCode::IdempotencyMismatch, Rule::S6OnceAKey);
    return true;
}

void Judge::expect_replay(const Request& request, const KeyRecord& record) {
    const auto* lease = record.token ? timeline_.find(*record.token) : nullptr;
    if (record.is_of_lease && lease == nullptr)  // the answer is kept longer than its lease
        return expect_refusal(request, ErrorCode::LeaseNotFound, Rule::S6OnceAKey);
    if (record.is_of_lease && is_over(*lease))
        return expect_refusal(request, ErrorCode::GoneExpired, Rule::S6OnceAKey);
    if (record.is_of_lease && !lease->is_live())
        return expect_refusal(request, ended_grant(request.command, *lease), Rule::S6OnceAKey);
    if (!is_told_) return;
    const auto& command = request.command;
    const auto* answer = take_answer(request.ticket);
    const auto differs = [&](std::string_view what) {
        throw Violation(Rule::S6OnceAKey,
                        describe(command) + ": " + std::string(what) + " differs from the first: " +
                            (answer == nullptr ? "nothing" : describe(*answer) + answer->body));
    };
    if (answer == nullptr || !answer->is_replayed) return differs("the answer");
    const auto code = answer->error ? std::optional(answer->error->code) : std::nullopt;
    if (code != record.refusal) differs("the code");
    if (answer->resource_id != record.resource_id) differs("the resource");
    if (record.is_of_lease) {
        if (testing::number_of(answer->fencing_token) != *record.token) differs("the token");
    } else if ((answer->error ? answer->error->detail : answer->body) != record.body) {
        differs("the body");
    } else if (answer->first_request_id != record.request_id) {
        differs("the first request");
    }
    using storage::FenceStatus;
    const auto status = record.is_released ? FenceStatus::Released
                        : lease == nullptr ? FenceStatus::None
                        : lease->is_live() ? FenceStatus::Live
                                           : FenceStatus::Stale;
    if (answer->fence_status != status)
        throw Violation(Rule::Answer, describe(command) + ": the replay tells its fence wrong");
}

// Whoever is told of a grant may act on it, so one that is over is told as that.
ErrorCode Judge::ended_grant(const Command& command, const HeldLease& lease) const {
    const auto* acquire = std::get_if<storage::AcquireLock>(&command.operation);
    const auto* claim =
        acquire != nullptr ? std::get_if<storage::ClaimRun>(&acquire->purpose) : nullptr;
    if (claim != nullptr) {
        const auto run = timeline_.runs.find(run_lock(claim->job, claim->slot));
        if (run != timeline_.runs.end() && run->second.state == RunState::Done)
            return ErrorCode::RunDone;
        if (run != timeline_.runs.end() && run->second.state == RunState::Failed &&
            run->second.token == lease.token)
            return ErrorCode::RunFailed;
    }
    return *refuse_as_not_own(&lease, command.principal);
}

void Judge::remember(const Command& command, const storage::Idempotency& idempotency,
                     std::optional<ErrorCode> refusal, const Answer* answer,
                     std::optional<std::int64_t> token) {
    KeyRecord record{
        .fingerprint = idempotency.fingerprint,
        .refusal = refusal,
        .is_of_lease = std::holds_alternative<storage::AcquireLock>(command.operation) ||
                       std::holds_alternative<storage::RenewLease>(command.operation),
        .body = {},
        .resource_id = {},
        .token = token,
        .request_id = command.request_id,
        .hour = timeline_.hour};
    if (answer != nullptr) {
        record.body = answer->error ? answer->error->detail : answer->body;
        record.resource_id = answer->resource_id;
    } else {  // nobody was told: whatever was written will be the first answer
        for (const auto& [id, row] : rows_.answers) {
            if (row.key != idempotency.key || row.principal != command.principal) continue;
            record.body = row.body;
            record.resource_id = row.resource_id;
        }
    }
    timeline_.keys.emplace(key_of(command, idempotency), std::move(record));
}

// Somebody was granted who should not have been, or not yet.
void Judge::blame_grant(Ticket ticket, const Command& command) const {
    const auto locks = locks_of(std::get<storage::AcquireLock>(command.operation));
    const auto what = describe(command) + " was granted";
    for (const auto cancelled : batch_.cancelled) {
        if (cancelled == ticket)
            throw Violation(Rule::WaiterHasLeft, what + " after its client had left");
    }
    const auto& claim = std::get<storage::AcquireLock>(command.operation).claim;
    if (timeline_.fit(locks, claim) != Fits::Yes)
        throw Violation(Rule::Exclusion, what + " what another holds");
    throw Violation(Rule::Fifo, what + " before others who came first");
}

}  // namespace fencegate::simulation
