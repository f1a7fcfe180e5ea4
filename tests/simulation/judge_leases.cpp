// What commands about leases that are held, and questions about locks, must be answered.
#include "tests/simulation/judge.hpp"
#include "tests/simulation/trace.hpp"

#include <algorithm>

namespace fencegate::simulation {

bool Judge::is_over(const HeldLease& lease) const {
    return lease.is_live() && lease.deadline <= at_;
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

std::optional<ErrorCode> Judge::renew(HeldLease& lease, Duration ttl,
                                      std::optional<std::int64_t> progress) const {
    const auto klass = terms_of(lease.locks);
    auto after = lease;
    if (klass.stalled_renewals_max > 0 && (progress || lease.progress)) {
        const bool has_risen = progress && progress > lease.progress;  // also over none
        after.stalled = has_risen ? 0 : lease.stalled + 1;
        if (has_risen) after.progress = progress;
        if (after.stalled > klass.stalled_renewals_max) return ErrorCode::NoProgress;
    }
    after.ttl = ttl;
    after.deadline = lease.cap(batch_.now + ttl);
    if (after.deadline < batch_.now + ttl && after.deadline <= lease.deadline)
        return ErrorCode::MaxHoldReached;
    after.is_armed = true;
    lease = after;
    return std::nullopt;
}

void Judge::decide(const Request& request, const storage::RenewLease& asked) {
    auto* lease = timeline_.find_id(to_string(asked.lease_id));
    // A full disk has no room for its end, and the refusal is the same.
    if (lease != nullptr && is_over(*lease)) {
        const bool is_own = lease->principal == request.command.principal;
        const auto code = is_own ? ErrorCode::GoneExpired : ErrorCode::FenceNotHolder;
        expect_refusal(request, code, Rule::L1LeaseEnds);
        if (!batch_.was_full) end(*lease, LeaseState::Expired);
        return;
    }
    if (const auto refusal = refuse_as_not_own(lease, request.command.principal)) {
        const bool is_foreign = *refusal == ErrorCode::FenceNotHolder;
        return expect_refusal(request, *refusal, is_foreign ? Rule::Holder : Rule::EndedStaysEnded);
    }
    const auto ttl = asked.ttl ? ttl_for(asked.ttl, lease->locks) : lease->ttl;
    if (!ttl) return expect_refusal(request, ErrorCode::InvalidArgument, Rule::Answer);
    if (const auto refusal = renew(*lease, *ttl, asked.progress))
        return expect_refusal(request, *refusal, Rule::L1LeaseEnds);
    const auto* answer = expect_success(request.ticket, request.command, Rule::L2LeaseLasts);
    expect_text(answer, request.command,
                text_of("\"remaining_ms\":", ms_between(batch_.now, lease->deadline), ","));
    expect_text(answer, request.command, text_of("\"fencing_token\":", lease->token, ","));
    if (lease->stalled > 0) expect_text(answer, request.command, "\"stalled_renewals_left\":");
}

void Judge::decide(const Request& request, const storage::ReleaseLease& release) {
    auto* lease = timeline_.find_id(to_string(release.lease_id));
    const auto refusal = refuse_as_not_own(lease, request.command.principal);
    if (refusal == ErrorCode::GoneReleased) return expect_repeated(request);
    if (refusal) {
        const bool is_foreign = *refusal == ErrorCode::FenceNotHolder;
        return expect_refusal(request, *refusal, is_foreign ? Rule::Holder : Rule::EndedStaysEnded);
    }
    expect_success(request.ticket, request.command, Rule::L2LeaseLasts);
    end(*lease, LeaseState::Released);
}

void Judge::decide(const Request& request, const storage::BreakLock& broken) {
    const auto holders = timeline_.holders_of(broken.lock.value());
    if (holders.empty()) return expect_refusal(request, ErrorCode::LockNotHeld, Rule::Answer);
    if (std::ranges::count(holders, broken.seen_token.value(), &HeldLease::token) == 0)
        return expect_refusal(request, ErrorCode::FenceStale, Rule::L2LeaseLasts);
    expect_success(request.ticket, request.command, Rule::Answer);
    end(*timeline_.find(broken.seen_token.value()), LeaseState::Broken);
}

void Judge::decide(const Request& request, const storage::ReadLease& read) {
    const auto* lease = timeline_.find_id(to_string(read.lease_id));
    if (lease == nullptr) return expect_refusal(request, ErrorCode::LeaseNotFound, Rule::Answer);
    const auto* answer = expect_success(request.ticket, request.command, Rule::S5Durable);
    expect_text(answer, request.command, text_of("\"fencing_token\":", lease->token, ","));
    expect_text(
        answer, request.command,
        text_of("\"state\":\"",
                lease_state_name(is_over(*lease) ? LeaseState::Expired : lease->state), "\""));
}

void Judge::decide(const Request& request, const storage::ReadLock& read) {
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    const auto& lock = read.lock.value();
    const auto holders = timeline_.holders_of(lock);
    for (const auto* holder : holders)
        expect_text(answer, request.command, text_of("\"fencing_token\":", holder->token, ","));
    if (holders.empty() && !timeline_.rests.contains(lock))
        expect_text(answer, request.command, "\"state\":\"free\"");
    expect_text(answer, request.command, text_of("\"waiters\":", timeline_.waiting_for(lock)));
}

void Judge::decide(const Request& request, const storage::ListLocks& list) {
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    for (const auto& [token, lease] : timeline_.leases) {
        for (const auto& lock : lease.locks) {
            if (lease.is_live() && lock.starts_with(list.prefix))
                expect_text(answer, request.command, text_of("\"lock\":\"", lock, "\""));
        }
    }
}

void Judge::decide(const Request& request, const storage::ReadHistory& history) {
    const auto* answer = expect_success(request.ticket, request.command, Rule::S5Durable);
    const auto head = timeline_.heads.find(history.lock.value());
    if (head == timeline_.heads.end()) return;
    const auto& newest = *timeline_.find(head->second);
    expect_text(answer, request.command, text_of("\"fencing_token\":", newest.token, ","));
    expect_text(answer, request.command, text_of("\"refused_writes\":", newest.refused, ","));
}

void Judge::decide(const Request& request, const storage::VerifyFence& verify) {
    const auto* answer = expect_success(request.ticket, request.command, Rule::Answer);
    const auto* lease = timeline_.find(verify.token.value());
    const bool is_good = lease != nullptr && lease->is_live() && !is_over(*lease) &&
                         lease->claim.mode == LockMode::Exclusive &&
                         lease->covers(verify.lock.value());
    expect_text(answer, request.command, text_of("\"live\":", is_good ? "true" : "false", ","));
}

void Judge::decide(const Request& request, const storage::FindDeadlocks&) {
    expect_success(request.ticket, request.command, Rule::Answer);
}

}  // namespace fencegate::simulation
