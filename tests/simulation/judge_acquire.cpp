// Who is granted what, and what is recorded with the grant.
#include "tests/simulation/judge.hpp"
#include "tests/simulation/trace.hpp"
#include "tests/support/tokens.hpp"

#include <algorithm>

namespace fencegate::simulation {

void Judge::decide(const Request& request, const storage::AcquireLock& acquire) {
    const auto& command = request.command;
    const auto locks = locks_of(acquire);
    if (acquire.idempotency && is_answered_by_key(request, *acquire.idempotency)) return;
    std::optional<WaitingAcquire> place;
    if (acquire.idempotency)
        place = timeline_.take_place(key_of(command, *acquire.idempotency), at_);
    if (const auto refusal = refuse_purpose(acquire))
        return expect_refusal(request, *refusal, Rule::RunOnce);
    const auto ttl = ttl_for(acquire.ttl, locks);
    if (!ttl) return expect_refusal(request, ErrorCode::InvalidArgument, Rule::Answer);
    const auto fit = timeline_.fit(locks, acquire.claim);
    if (fit == Fits::AsAnotherKind)
        return expect_refusal(request, ErrorCode::LockModeConflict, Rule::Exclusion);
    const auto number = place ? place->place : timeline_.last_place + 1;
    const bool is_wanted = timeline_.is_wanted(locks, timeline_.waiting_before(number));
    if (fit == Fits::Yes && !is_wanted) {
        if (!may_hold(command.principal, locks))
            return expect_refusal(request, ErrorCode::QuotaExceeded, Rule::Quota);
        return grant(request.ticket, command, *ttl);
    }
    const auto if_granted = fit == Fits::Yes ? Rule::Fifo : Rule::Exclusion;
    WaitingAcquire waiter{number, request.ticket, command, locks, *ttl, batch_.now + acquire.wait};
    if (acquire.wait <= Duration::zero()) {
        const auto kept = place ? keep_place(waiter) : std::nullopt;
        expect_refusal(request, ErrorCode::LockHeld, if_granted);
        return expect_place(waiter, kept);
    }
    if (const auto refusal = refuse_wait(command, acquire))
        return expect_refusal(request, *refusal, if_granted);
    stand_in_line(std::move(waiter));
}

void Judge::stand_in_line(WaitingAcquire waiter) {
    has_moved_lines_ = true;
    timeline_.last_place = std::max(timeline_.last_place, waiter.place);
    const auto before = static_cast<std::ptrdiff_t>(timeline_.waiting_before(waiter.place));
    timeline_.waiters.insert(timeline_.waiters.begin() + before, std::move(waiter));
}

std::optional<ErrorCode> Judge::refuse_wait(const Command& command,
                                            const storage::AcquireLock& acquire) const {
    const auto locks = locks_of(acquire);
    if (timeline_.is_draining) return ErrorCode::Draining;
    if (!may_wait(command.principal, locks)) return ErrorCode::QuotaExceeded;
    auto line_max = terms_.limits.per_lock_max;
    if (const auto own = terms_of(locks).waiters_per_lock_max; own > 0)
        line_max = std::min(line_max, own);
    const bool is_full = std::ranges::any_of(
        locks, [&](const std::string& lock) { return timeline_.places_for(lock) >= line_max; });
    const auto places = timeline_.waiters.size() + timeline_.places.size();
    if (is_full || places >= terms_.limits.total_max) return ErrorCode::QueueFull;
    return std::nullopt;
}

std::optional<ErrorCode> Judge::refuse_purpose(const storage::AcquireLock& acquire) {
    const auto* claim = std::get_if<storage::ClaimRun>(&acquire.purpose);
    if (claim == nullptr) return std::nullopt;
    const auto run = timeline_.runs.find(run_lock(claim->job, claim->slot));
    const bool is_known = run != timeline_.runs.end();
    if (is_known && run->second.state == RunState::Done) return ErrorCode::RunDone;
    if (is_known && run->second.state == RunState::Missed) return ErrorCode::RunMissed;
    if (batch_.wall < claim->slot.instant()) return ErrorCode::RunNotDue;
    const auto late = batch_.wall - claim->slot.instant();
    if (is_known || !claim->start_within || late <= *claim->start_within) return std::nullopt;
    timeline_.runs[run_lock(claim->job, claim->slot)] = {.state = RunState::Missed, .result = {}};
    return ErrorCode::RunMissed;
}

bool Judge::may_hold(const std::string& principal, const LockSet& locks) const {
    return std::ranges::all_of(locks, [&](const std::string& lock) {
        const auto klass = class_of(lock);
        const auto most = terms_of({lock}).locks_per_principal_max;
        const auto more = static_cast<std::size_t>(std::ranges::count(locks, klass, class_of));
        return most == 0 || timeline_.held_by(principal, klass) + more <= most;
    });
}

bool Judge::may_wait(const std::string& principal, const LockSet& locks) const {
    return std::ranges::all_of(locks, [&](const std::string& lock) {
        const auto klass = class_of(lock);
        const auto most = terms_of({lock}).waiters_per_principal_max;
        const auto more = static_cast<std::size_t>(std::ranges::count(locks, klass, class_of));
        return most == 0 || timeline_.waited_for_by(principal, klass) + more <= most;
    });
}

lockmgr::LockClass Judge::terms_of(const LockSet& locks) const {
    std::vector<lockmgr::LockName> names;
    for (const auto& lock : locks) names.push_back(lockmgr::LockName::from_store(lock));
    return terms_.classes.strictest(names);
}

std::optional<Duration> Judge::ttl_for(std::optional<Duration> asked, const LockSet& locks) const {
    const auto klass = terms_of(locks);
    const auto ttl = asked.value_or(klass.ttl_default);
    if (ttl < klass.ttl_min || ttl > klass.ttl_max) return std::nullopt;
    return ttl;
}

// Of whoever is told; else of the next new row.
std::int64_t Judge::token_of_grant(const Answer* answer) const {
    if (answer != nullptr) return testing::number_of(answer->fencing_token);
    const auto row = rows_.leases.upper_bound(highest_token_);
    if (row == rows_.leases.end())
        throw Violation(Rule::S5Durable, "a batch was committed in part: a grant is missing");
    return row->first;
}

void Judge::grant(Ticket ticket, const Command& command, Duration ttl) {
    const auto& acquire = std::get<storage::AcquireLock>(command.operation);
    const auto locks = locks_of(acquire);
    if (is_told_ && !left_.contains(ticket)) {
        // Did somebody else of the line get it?
        for (const auto& waiter : timeline_.waiters) {
            const auto other = left_.find(waiter.ticket);
            if (other != left_.end() && !other->second.error && overlap(waiter.locks, locks))
                blame_grant(waiter.ticket, waiter.command);
        }
    }
    const bool waited = acquire.wait > Duration::zero();
    const auto* answer = expect_success(ticket, command, waited ? Rule::LostWakeUp : Rule::Answer);
    const auto token = token_of_grant(answer);
    if (token <= highest_token_)
        throw Violation(Rule::S1TokensRise,
                        text_of(describe(command), ": token ", token, " after ", highest_token_));
    const auto row = rows_.leases.find(token);
    if (row == rows_.leases.end())
        throw Violation(Rule::S5Durable, text_of("token ", token, " was granted to ",
                                                 describe(command), " and is not in the rows"));
    highest_token_ = token;
    HeldLease lease{.token = token,
                    .id = answer != nullptr ? answer->resource_id : row->second.id,
                    .locks = locks,
                    .previous = {},
                    .claim = acquire.claim,
                    .principal = command.principal,
                    .owner = acquire.owner,
                    .metadata = acquire.metadata_json,
                    .ttl = ttl,
                    .max_hold = terms_of(locks).max_hold,
                    .held_since = batch_.now,
                    .is_armed = true,
                    .progress = std::nullopt};
    lease.deadline = lease.cap(batch_.now + ttl);
    expect_text(answer, command,
                text_of("\"remaining_ms\":", ms_between(batch_.now, lease.deadline), ","));
    expect_text(answer, command, text_of("\"fencing_token\":", token, ","));
    install(lease, acquire.purpose);
    if (!acquire.idempotency) return;
    remember(command, *acquire.idempotency, std::nullopt, answer, token);
    timeline_.keys.at(key_of(command, *acquire.idempotency)).resource_id = lease.id;
}

void Judge::install(const HeldLease& lease, const storage::Purpose& purpose) {
    auto& installed = timeline_.leases[lease.token] = lease;
    for (const auto& lock : lease.locks) {
        auto& head = timeline_.heads[lock];
        installed.previous.push_back(head);
        auto* before = timeline_.find(head);
        if (before != nullptr && before->state == LeaseState::Expired)
            before->state = LeaseState::Superseded;
        head = lease.token;
    }
    if (const auto* claim = std::get_if<storage::ClaimRun>(&purpose)) {
        auto& run = timeline_.runs[run_lock(claim->job, claim->slot)];
        run = {.state = RunState::Claimed,
               .attempts = run.attempts + 1,
               .token = lease.token,
               .result = {}};
    } else if (const auto* campaign = std::get_if<storage::Campaign>(&purpose)) {
        if (!campaign->value_json.empty())
            timeline_.elections[campaign->election] = {lease.token, campaign->value_json};
    }
}

}  // namespace fencegate::simulation
