#include "lockmgr/live_state.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::lockmgr {

void LiveState::grant(const Lease& lease, BootTime deadline) {
    Holder holder{lease.token, lease.locks, lease.claim, lease.principal};
    add(holder);
    undo_.emplace_back(Granted{std::move(holder)});
    arm(lease.token, deadline);
}

void LiveState::end(const Lease& lease) {
    Holder holder{lease.token, lease.locks, lease.claim, lease.principal};
    drop(holder);
    undo_.emplace_back(Ended{std::move(holder)});
    undo_.emplace_back(DeadlineChanged{lease.token, expiries_.disarm(lease.token)});
    if (renewals_of(lease.token)) set_renewals(lease.token, std::nullopt);
}

void LiveState::arm(FencingToken token, BootTime deadline) {
    undo_.emplace_back(DeadlineChanged{token, expiries_.arm(token, deadline)});
}

void LiveState::set_renewals(FencingToken token, const std::optional<Renewals>& renewals) {
    undo_.emplace_back(RenewalsChanged{token, renewals_of(token)});
    put_renewals(token, renewals);
}

void LiveState::join(Waiter waiter) {
    undo_.emplace_back(Joined{waiter.id});
    put(std::move(waiter));
}

std::optional<Waiter> LiveState::remove(WaiterId id) {
    auto waiter = take(id);
    if (waiter) undo_.emplace_back(Removed{*waiter});
    return waiter;
}

void LiveState::rest(const LockName& lock, std::optional<BootTime> until) {
    undo_.emplace_back(
        RestChanged{lock, until ? resting_.arm(lock, *until) : resting_.disarm(lock)});
}

std::optional<Renewals> LiveState::renewals_of(FencingToken token) const {
    const auto found = renewals_.find(token);
    if (found == renewals_.end()) return std::nullopt;
    return found->second;
}

Fit LiveState::fit(const std::vector<LockName>& locks, const Claim& claim) const {
    auto worst = Fit::Fits;
    for (const auto& lock : locks) {
        const auto fit = resting_.deadline_of(lock) ? Fit::Busy : holdings_.fit(lock, claim);
        worst = std::max(worst, fit);
    }
    return worst;
}

void LiveState::add(const Holder& holder) {
    for (const auto& lock : holder.locks) holdings_.add(lock, holder.token, holder.claim);
    usage_.count_held(holder.principal, holder.locks, 1);
}

void LiveState::drop(const Holder& holder) {
    for (const auto& lock : holder.locks) holdings_.remove(lock, holder.token);
    usage_.count_held(holder.principal, holder.locks, -1);
}

void LiveState::put(Waiter waiter) {
    usage_.count_waiting(waiter.principal, waiter.locks, 1);
    waiters_.insert(std::move(waiter));
}

std::optional<Waiter> LiveState::take(WaiterId id) {
    auto waiter = waiters_.remove(id);
    if (waiter) usage_.count_waiting(waiter->principal, waiter->locks, -1);
    return waiter;
}

void LiveState::put_renewals(FencingToken token, const std::optional<Renewals>& renewals) {
    if (renewals) {
        renewals_.insert_or_assign(token, *renewals);
    } else {
        renewals_.erase(token);
    }
}

void LiveState::rollback() {
    while (!undo_.empty()) {
        std::visit([this](const auto& undo) { take_back(undo); }, undo_.back());
        undo_.pop_back();
    }
}

void LiveState::commit(BootTime::duration late) {
    if (late > late.zero()) {
        for (const auto token : armed()) expiries_.arm(token, *expiries_.deadline_of(token) + late);
    }
    undo_.clear();
}

std::vector<FencingToken> LiveState::armed() const {
    std::vector<FencingToken> tokens;
    for (const auto& undo : undo_) {
        const auto* changed = std::get_if<DeadlineChanged>(&undo);
        if (changed != nullptr && expiries_.deadline_of(changed->token))
            tokens.push_back(changed->token);
    }
    std::ranges::sort(tokens);
    const auto repeated = std::ranges::unique(tokens);
    tokens.erase(repeated.begin(), repeated.end());
    return tokens;
}

void LiveState::postpone(BootTime::duration span) {
    FG_CHECK(undo_.empty());
    expiries_.postpone(span);
    resting_.postpone(span);
    waiters_.postpone(span);
}

void LiveState::take_back(const DeadlineChanged& undo) {
    if (undo.before) {
        expiries_.arm(undo.token, *undo.before);
    } else {
        expiries_.disarm(undo.token);
    }
}

void LiveState::take_back(const RestChanged& undo) {
    if (undo.before) {
        resting_.arm(undo.lock, *undo.before);
    } else {
        resting_.disarm(undo.lock);
    }
}

}  // namespace fencegate::lockmgr
