#include "storage/unit/tables.hpp"

namespace fencegate::storage {

using lockmgr::FencingToken;
using lockmgr::Lease;
using lockmgr::LeaseEnding;
using lockmgr::LeaseState;
using lockmgr::LockName;

LeaseTable::Slot& LeaseTable::slot(FencingToken token) {
    const auto [found, is_first_look] = slots_.try_emplace(token);
    if (is_first_look) found->second.lease = reader_.find(token);
    return found->second;
}

const Lease* LeaseTable::find(FencingToken token) {
    const auto& lease = slot(token).lease;
    return lease ? &*lease : nullptr;
}

// The engine tells a head with the state of its lease, so that most grants need no second row.
ChainHead LeaseTable::head(const LockName& lock) {
    const auto* found = heads_.find(lock, [this](const LockName& name) -> std::optional<ChainHead> {
        auto head = reader_.head(name);
        return head.token ? std::optional(head) : std::nullopt;
    });
    if (found == nullptr) return {};
    auto head = *found;
    const auto touched = slots_.find(*head.token);
    if (touched != slots_.end() && touched->second.lease) head.state = touched->second.lease->state;
    return head;
}

std::optional<FencingToken> LeaseTable::next_token() {
    if (!counter_) counter_ = reader_.counter();
    if (!counter_) return std::nullopt;
    const auto next = counter_->next();
    if (next.epoch > lockmgr::kTokenEpochMax) return std::nullopt;
    counter_ = next;
    is_counter_changed_ = true;
    return FencingToken::compose(next.epoch, next.sequence);
}

void LeaseTable::grant(const Lease& lease) {
    NewLease granted{.lease = lease, .before = {}};
    for (const auto& lock : lease.locks) {
        granted.before.push_back(head(lock).token);
        const ChainHead newest{lease.token, LeaseState::Live, lease.claim.mode};
        if (granted.before.back()) {
            heads_.put(lock, newest);
        } else {
            heads_.insert(lock, newest);
        }
    }
    slots_[lease.token].lease = lease;
    granted_.push_back(std::move(granted));
}

LeaseChange& LeaseTable::change(FencingToken token) {
    auto& change = slot(token).change;
    if (!change) {
        change.emplace(token);
        changed_.push_back(token);
    }
    return *change;
}

void LeaseTable::set_ttl(FencingToken token, Duration ttl) {
    change(token).ttl = ttl;
    slot(token).lease->ttl = ttl;
}

void LeaseTable::end(FencingToken token, LeaseEnding ending, Stamp at, std::string break_reason) {
    const auto how = state_after(ending);
    change(token).end = LeaseEnd{how, at, std::move(break_reason)};
    auto& lease = *slot(token).lease;
    lease.state = how;
    lease.ended_at = at.wall;
    lease.ended_since = at.now;
}

void LeaseTable::supersede(FencingToken token) {
    change(token).is_superseded = true;
    slot(token).lease->state = LeaseState::Superseded;
}

std::int64_t LeaseTable::count_refusal(FencingToken token) {
    auto& refused = slot(token).refused;
    if (!refused) refused = refusal_reader_.count(token);
    change(token).refused = ++*refused;
    return *refused;
}

void LeaseTable::insert_refusal(FencingToken token, std::int64_t number, RefusedWrite refused) {
    refusals_.push_back({token, number, std::move(refused)});
}

void LeaseTable::collect(Changes& changes) {
    if (std::exchange(is_counter_changed_, false)) changes.counter = counter_;
    changes.granted = std::exchange(granted_, {});
    heads_.collect([&](const LockName& lock, const std::optional<ChainHead>& head, bool is_first) {
        changes.heads.push_back({lock, *head->token, is_first});
    });
    for (const auto token : changed_) {
        auto& change = slots_.at(token).change;
        changes.leases.push_back(std::move(*change));
        change.reset();
    }
    changed_.clear();
    changes.refusals = std::exchange(refusals_, {});
}

}  // namespace fencegate::storage
