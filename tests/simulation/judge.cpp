#include "tests/simulation/judge.hpp"

#include "storage/model/operation.hpp"
#include "tests/simulation/trace.hpp"

#include <algorithm>

namespace fencegate::simulation {
namespace {

// The key of a write that needs none, if it has one. Of an acquire it is looked at with its place.
const storage::Idempotency* key_of_write(const storage::Operation& operation) {
    if (std::holds_alternative<storage::AcquireLock>(operation)) return nullptr;
    return std::visit(
        [](const auto& one) -> const storage::Idempotency* {
            if constexpr (requires { one.idempotency.has_value(); })
                return one.idempotency ? &*one.idempotency : nullptr;
            return nullptr;
        },
        operation);
}

std::optional<std::int64_t> token_in(const storage::Operation& operation) {
    return std::visit(
        [](const auto& one) -> std::optional<std::int64_t> {
            if constexpr (requires { one.token.error(); }) {
                if (one.token) return one.token->value();
            }
            return std::nullopt;
        },
        operation);
}

}  // namespace

Judge::Judge(Timeline& timeline, const History& history, const Rows& rows, const Terms& terms,
             const BatchFacts& batch, const Answers* answers)
    : timeline_(timeline),
      history_(history),
      rows_(rows),
      terms_(terms),
      batch_(batch),
      is_told_(answers != nullptr),
      left_(answers != nullptr ? *answers : Answers{}),
      highest_token_(history.highest_token) {}

void Judge::judge() {
    give_up_cancelled();
    time_out_due();
    if (batch_.timers_wait) {
        leave_lines_for_later();
    } else {
        serve_waiters();
    }
    for (const auto& request : batch_.requests) {
        advance(*request.arrived);
        command(request);
    }
    advance(batch_.taken);
    expect_nothing_else();
}

void Judge::advance(BootTime at) {
    at_ = std::max(at_, std::min(at, batch_.now));
    if (batch_.timers_wait) return;
    timeline_.forget_places(at_);
    end_rests();
    expire_due();
}

void Judge::give_up_cancelled() {
    for (const auto ticket : batch_.cancelled) {
        const auto found = std::ranges::find(timeline_.waiters, ticket, &WaitingAcquire::ticket);
        if (found == timeline_.waiters.end()) continue;
        refuse_waiter(static_cast<std::size_t>(found - timeline_.waiters.begin()),
                      ErrorCode::RequestTimeout, Rule::WaiterHasLeft);
    }
}

// Whose wait is over first is told first: that is how long those behind it count it.
void Judge::time_out_due() {
    auto& waiters = timeline_.waiters;
    while (true) {
        const auto next = std::ranges::min_element(waiters, {}, &WaitingAcquire::deadline);
        if (next == waiters.end() || next->deadline > batch_.now) return;
        refuse_waiter(static_cast<std::size_t>(next - waiters.begin()), ErrorCode::LockHeld,
                      Rule::WaiterTooLate);
    }
}

void Judge::refuse_waiter(std::size_t at, ErrorCode code, Rule if_accepted) {
    const auto place = timeline_.waiters.begin() + static_cast<std::ptrdiff_t>(at);
    const auto waiter = std::move(*place);
    timeline_.waiters.erase(place);
    has_moved_lines_ = true;
    freed_.insert(freed_.end(), waiter.locks.begin(), waiter.locks.end());
    const auto kept = keep_place(waiter);
    expect_refusal(waiter.ticket, waiter.command, code, if_accepted);
    if (code == ErrorCode::LockHeld) expect_place(waiter, kept);
}

// What is kept for who may come back, if anything is.
std::optional<Duration> Judge::keep_place(const WaitingAcquire& waiter) {
    const auto kept = terms_of(waiter.locks).place_kept;
    if (!waiter.acquire().idempotency || kept == Duration::zero() || timeline_.is_draining)
        return std::nullopt;
    timeline_.places.push_back({waiter, batch_.now + kept});
    return kept;
}

// A grant has no room either while the disk is full. Until then nobody is granted out of turn. A
// lock that rests already goes on resting for as long as it would have.
void Judge::leave_lines_for_later() {
    for (const auto& lock : freed_) {
        if (timeline_.waiting_for(lock) > 0) timeline_.rests.try_emplace(lock, batch_.now);
    }
}

void Judge::end_rests() {
    std::vector<std::pair<BootTime, std::string>> due;
    for (const auto& [lock, until] : timeline_.rests) {
        if (until <= at_) due.emplace_back(until, lock);
    }
    std::ranges::sort(due);
    for (const auto& [until, lock] : due) {
        timeline_.rests.erase(lock);
        serve_waiters();
    }
}

void Judge::expire_due() {
    std::vector<std::pair<BootTime, std::int64_t>> due;
    for (const auto& [token, lease] : timeline_.leases) {
        if (is_over(lease)) due.emplace_back(lease.deadline, token);
    }
    std::ranges::sort(due);
    for (const auto& [deadline, token] : due) {
        auto& lease = *timeline_.find(token);
        const auto row = rows_.leases.find(token);
        if (row != rows_.leases.end() && row->second.state == LeaseState::Live)
            throw Violation(Rule::L1LeaseEnds,
                            text_of("token ", token, " on ", text_of_locks(lease.locks),
                                    " is live although its time is over"));
        end(lease, LeaseState::Expired);
    }
}

void Judge::end(HeldLease& lease, LeaseState how) {
    lease.state = how;
    lease.ended_hour = timeline_.hour;
    for (const auto& lock : lease.locks) {
        const auto lock_delay = terms_of({lock}).lock_delay;
        if (how == LeaseState::Expired && lock_delay > Duration::zero())
            timeline_.rests[lock] = batch_.now + lock_delay;
    }
    serve_waiters();
}

// Whoever is first in the line of each of its locks, and fits, is served now.
void Judge::serve_waiters() {
    while (const auto at = next_to_serve()) {
        const auto place = timeline_.waiters.begin() + static_cast<std::ptrdiff_t>(*at);
        const auto waiter = std::move(*place);
        timeline_.waiters.erase(place);
        has_moved_lines_ = true;
        serve(waiter);
    }
}

// Lines that have nothing in common may be served in any order: the one of the tokens then. Whoever
// has the next token may stand behind somebody whose turn ends in a refusal.
std::optional<std::size_t> Judge::next_to_serve() const {
    const auto next_row = rows_.leases.upper_bound(highest_token_);
    std::optional<std::size_t> first;
    std::optional<std::size_t> refused;
    for (std::size_t at = 0; at < timeline_.waiters.size(); ++at) {
        const auto& waiter = timeline_.waiters[at];
        if (timeline_.is_wanted(waiter.locks, at) ||
            timeline_.fit(waiter.locks, waiter.acquire().claim) != Fits::Yes)
            continue;
        if (next_row != rows_.leases.end() && next_row->second.locks == waiter.locks) return at;
        if (!first) first = at;
        if (!refused && is_to_be_refused(waiter)) refused = at;
    }
    return refused ? refused : first;
}

bool Judge::is_to_be_refused(const WaitingAcquire& waiter) const {
    const auto told = left_.find(waiter.ticket);
    if (is_told_) return told != left_.end() && told->second.error.has_value();
    const auto* claim = std::get_if<storage::ClaimRun>(&waiter.acquire().purpose);
    const auto run = claim == nullptr ? timeline_.runs.end()
                                      : timeline_.runs.find(run_lock(claim->job, claim->slot));
    const bool is_over = run != timeline_.runs.end() && (run->second.state == RunState::Done ||
                                                         run->second.state == RunState::Missed);
    return is_over || !may_hold(waiter.command.principal, waiter.locks);
}

// What may have changed during the wait is looked at again.
void Judge::serve(const WaitingAcquire& waiter) {
    auto refusal = refuse_purpose(waiter.acquire());
    const auto if_granted = refusal ? Rule::RunOnce : Rule::Quota;
    if (!refusal && !may_hold(waiter.command.principal, waiter.locks))
        refusal = ErrorCode::QuotaExceeded;
    if (!refusal) return grant(waiter.ticket, waiter.command, waiter.ttl);
    expect_refusal(waiter.ticket, waiter.command, *refusal, if_granted);
}

void Judge::command(const Request& request) {
    if (std::ranges::count(batch_.cancelled, request.ticket) > 0)
        return expect_refusal(request, ErrorCode::RequestTimeout, Rule::WaiterHasLeft);
    const auto found = left_.find(request.ticket);
    if (found != left_.end() && found->second.error &&
        found->second.error->code == ErrorCode::StoreFull) {
        if (!batch_.was_full)
            throw Violation(Rule::Answer, describe(request.command) + ": the disk is not full");
        left_.erase(found);
        refused_.push_back(request.command.request_id);
        return;
    }
    is_refused_ = is_answered_by_key_ = false;
    const auto* key = key_of_write(request.command.operation);
    if (key != nullptr && is_answered_by_key(request, *key)) return;
    const auto told = found != left_.end() ? std::optional(found->second) : std::nullopt;
    std::visit([&](const auto& operation) { decide(request, operation); },
               request.command.operation);
    if (key != nullptr && !is_refused_)
        remember_write(request.command, *key, told ? &*told : nullptr);
    if (!is_refused_ && !is_answered_by_key_) release_on_write(request, told ? &*told : nullptr);
}

// What ends an election or a run has ended its lease by then.
void Judge::release_on_write(const Request& request, const Answer* answer) {
    using storage::FenceStatus;
    const auto token = token_in(request.command.operation);
    auto* lease = request.command.releases_lease && token ? timeline_.find(*token) : nullptr;
    auto status = FenceStatus::None;
    if (lease != nullptr) {
        const bool is_released = lease->is_live() || lease->state == LeaseState::Released;
        status = is_released ? FenceStatus::Released : FenceStatus::Stale;
    }
    if (answer != nullptr && answer->fence_status != status)
        throw Violation(Rule::Answer,
                        describe(request.command) + ": the write tells its fence wrong");
    if (const auto* key = storage::idempotency_of(request.command.operation);
        key != nullptr && status == FenceStatus::Released)
        timeline_.keys.at(key_of(request.command, *key)).is_released = true;
    if (lease != nullptr && lease->is_live()) end(*lease, LeaseState::Released);
}

// Of writes that move no money a success is kept; a refusal leaves the key free.
void Judge::remember_write(const Command& command, const storage::Idempotency& idempotency,
                           const Answer* answer) {
    const auto* renewed = std::get_if<storage::RenewLease>(&command.operation);
    if (renewed == nullptr)
        return remember(command, idempotency, std::nullopt, answer, token_in(command.operation));
    const auto& lease = *timeline_.find_id(to_string(renewed->lease_id));
    remember(command, idempotency, std::nullopt, answer, lease.token);
    timeline_.keys.at(key_of(command, idempotency)).resource_id = lease.id;
}

void Judge::expect_nothing_else() const {
    if (left_.empty()) return;
    const auto& [ticket, answer] = *left_.begin();
    const auto* waiter = timeline_.find_waiter(ticket);
    if (waiter == nullptr)
        throw Violation(Rule::Answer, text_of("a second or unasked answer to ticket ",
                                              ticket.value(), ": ", describe(answer)));
    if (!answer.error) blame_grant(ticket, waiter->command);
    throw Violation(Rule::Answer, describe(waiter->command) + " should go on waiting, and got " +
                                      describe(answer));
}

}  // namespace fencegate::simulation
