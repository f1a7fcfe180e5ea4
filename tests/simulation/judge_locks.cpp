// What each command about locks must do.
#include "tests/simulation/judge.hpp"
#include "tests/simulation/trace.hpp"

#include <algorithm>

namespace fencegate::simulation {

void Judge::decide(const Request& request, const storage::AcquireLock& acquire) {
    const auto locks = locks_of(acquire);
    if (acquire.idempotency && is_answered_by_key(request, *acquire.idempotency)) return;
    const auto ttl = ttl_for(acquire.ttl, locks.front());
    if (!ttl) return expect_refusal(request, ErrorCode::InvalidArgument, Rule::Answer);
    const bool is_free = timeline_.is_free(locks);
    const bool is_wanted = timeline_.is_wanted(locks, timeline_.waiters.size());
    if (is_free && !is_wanted) return grant(request.ticket, request.command, *ttl);
    const auto if_granted = is_free ? Rule::Fifo : Rule::Exclusion;
    if (acquire.wait <= Duration::zero())
        return expect_refusal(request, ErrorCode::LockHeld, if_granted);
    if (timeline_.is_draining) return expect_refusal(request, ErrorCode::Draining, if_granted);
    if (timeline_.waiters.size() >= limits_.total_max ||
        timeline_.waiting_for(locks) >= limits_.per_lock_max)
        return expect_refusal(request, ErrorCode::QueueFull, if_granted);
    has_moved_lines_ = true;
    timeline_.waiters.push_back(
        {request.ticket, request.command, locks, *ttl, batch_.now + acquire.wait});
}

std::optional<Duration> Judge::ttl_for(std::optional<Duration> asked,
                                       const std::string& lock) const {
    const auto& klass = classes_.of(*lockmgr::LockName::parse(lock));
    const auto ttl = asked.value_or(klass.ttl_default);
    if (ttl < klass.ttl_min || ttl > klass.ttl_max) return std::nullopt;
    return ttl;
}

// Of whoever is told; else of the next new row.
std::int64_t Judge::token_of_grant(const Answer* answer) const {
    if (answer != nullptr) return answer->fencing_token;
    const auto row = rows_.leases.upper_bound(highest_token_);
    if (row == rows_.leases.end())
        throw Violation(Rule::S5Durable, "a batch was committed in part: a grant is missing");
    return row->first;
}

void Judge::grant(Ticket ticket, const Command& command, Duration ttl) {
    const auto& acquire = std::get<storage::AcquireLock>(command.operation);
    const auto locks = locks_of(acquire);
    const bool waited = timeline_.find_waiter(ticket) != nullptr || acquire.wait > Duration::zero();
    if (is_told_ && !left_.contains(ticket)) {
        // Did somebody else of the line get it?
        for (const auto& waiter : timeline_.waiters) {
            const auto other = left_.find(waiter.ticket);
            if (other != left_.end() && !other->second.error && overlap(waiter.locks, locks))
                blame_grant(waiter.ticket, waiter.command);
        }
    }
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
    for (auto& [other, lease] : timeline_.leases) {
        if (lease.state == LeaseState::Expired && overlap(lease.locks, locks))
            lease.state = LeaseState::Superseded;
    }
    timeline_.leases[token] = {.token = token,
                               .id = answer != nullptr ? answer->resource_id : row->second.id,
                               .locks = locks,
                               .principal = command.principal,
                               .owner = acquire.owner,
                               .metadata = acquire.metadata_json,
                               .ttl = ttl,
                               .state = LeaseState::Live,
                               .deadline = batch_.now + ttl};
    expect_text(answer, command, text_of("\"remaining_ms\":", ttl.count(), ","));
    expect_text(answer, command, text_of("\"fencing_token\":", token, ","));
    if (!acquire.idempotency) return;
    remember(command, *acquire.idempotency, std::nullopt, answer, token);
    timeline_.keys.at(key_of(command, *acquire.idempotency)).resource_id =
        timeline_.leases[token].id;
}

std::optional<ErrorCode> Judge::refuse_as_not_own(const HeldLease* lease,
                                                  const std::string& principal) const {
    if (lease == nullptr) return ErrorCode::LeaseNotFound;
    if (lease->principal != principal) return ErrorCode::FenceNotHolder;
    switch (lease->state) {
        case LeaseState::Live: return std::nullopt;
        case LeaseState::Expired: return ErrorCode::GoneExpired;
        case LeaseState::Superseded: return ErrorCode::GoneStale;
        case LeaseState::Released: return ErrorCode::GoneReleased;
        case LeaseState::Broken: return ErrorCode::GoneBroken;
    }
    return std::nullopt;
}

void Judge::decide(const Request& request, const storage::RenewLease& renew) {
    auto* lease = timeline_.find_id(to_string(renew.lease_id));
    if (const auto refusal = refuse_as_not_own(lease, request.command.principal)) {
        const bool is_foreign = *refusal == ErrorCode::FenceNotHolder;
        return expect_refusal(request, *refusal, is_foreign ? Rule::Holder : Rule::EndedStaysEnded);
    }
    const auto ttl = renew.ttl ? ttl_for(renew.ttl, lease->locks.front()) : lease->ttl;
    if (!ttl) return expect_refusal(request, ErrorCode::InvalidArgument, Rule::Answer);
    const auto* answer = expect_success(request.ticket, request.command, Rule::L2LeaseLasts);
    lease->ttl = *ttl;
    lease->deadline = batch_.now + *ttl;
    expect_text(answer, request.command, text_of("\"remaining_ms\":", ttl->count(), ","));
    expect_text(answer, request.command, text_of("\"fencing_token\":", lease->token, ","));
}

void Judge::decide(const Request& request, const storage::ReleaseLease& release) {
    auto* lease = timeline_.find_id(to_string(release.lease_id));
    if (const auto refusal = refuse_as_not_own(lease, request.command.principal)) {
        const bool is_foreign = *refusal == ErrorCode::FenceNotHolder;
        return expect_refusal(request, *refusal, is_foreign ? Rule::Holder : Rule::EndedStaysEnded);
    }
    expect_success(request.ticket, request.command, Rule::L2LeaseLasts);
    end(*lease, LeaseState::Released);
}

void Judge::decide(const Request& request, const storage::BreakLock& broken) {
    const auto* live = timeline_.live_lease_of(broken.lock.value());
    if (live == nullptr) return expect_refusal(request, ErrorCode::LockNotHeld, Rule::Answer);
    if (live->token != broken.seen_token)
        return expect_refusal(request, ErrorCode::FenceStale, Rule::L2LeaseLasts);
    expect_success(request.ticket, request.command, Rule::Answer);
    end(*timeline_.find(live->token), LeaseState::Broken);
}

void Judge::decide(const Request& request, const storage::ReadLease& read) {
    const auto* lease = timeline_.find_id(to_string(read.lease_id));
    if (lease == nullptr) return expect_refusal(request, ErrorCode::LeaseNotFound, Rule::Answer);
    const auto* answer = expect_success(request.ticket, request.command, Rule::S5Durable);
    expect_text(answer, request.command, text_of("\"fencing_token\":", lease->token, ","));
    constexpr std::string_view kStates[] = {"live", "expired", "superseded", "released", "broken"};
    expect_text(answer, request.command,
                text_of("\"state\":\"", kStates[static_cast<std::size_t>(lease->state)], "\""));
}

void Judge::decide(const Request& request, const storage::ReadLock& read) {
    const auto* live = timeline_.live_lease_of(read.lock.value());
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    expect_text(answer, request.command,
                live != nullptr ? text_of("\"fencing_token\":", live->token, ",")
                                : std::string("\"state\":\"free\""));
    const auto waiters = timeline_.waiting_for({read.lock.value()});
    expect_text(answer, request.command, text_of("\"waiters\":", waiters));
}

}  // namespace fencegate::simulation
