// Leases, their chains, and the record of refused writes.
#include "storage/memory/memory_rows.hpp"

#include <algorithm>

namespace fencegate::storage::memory {

using lockmgr::Lease;
using lockmgr::LeaseState;
using lockmgr::LockName;

const LeaseRow* LeaseRows::row(Token token) const {
    return transaction_.goes_on() ? leases.find(token) : nullptr;
}

std::optional<lockmgr::TokenCounter> LeaseRows::counter() {
    if (!transaction_.goes_on()) return std::nullopt;
    const auto* counter = counter_.find(1);
    return counter == nullptr ? lockmgr::TokenCounter{} : *counter;
}

std::optional<Lease> LeaseRows::find(Token token) {
    const auto* found = row(token);
    if (found == nullptr) return std::nullopt;
    return found->lease;
}

void LeaseRows::write(const Changes& changes) {
    if (changes.counter && changes.counter->epoch > lockmgr::kTokenEpochMax)
        return transaction_.refuse("no token is left");
    if (changes.counter) counter_.put(1, *changes.counter);
    for (const auto& granted : changes.granted) insert(granted);
    for (const auto& head : changes.heads) set_head(head);
    for (const auto& changed : changes.leases) change(changed);
}

void LeaseRows::insert(const NewLease& granted) {
    const auto& lease = granted.lease;
    if (leases.find(lease.token) != nullptr) return transaction_.refuse("the token was used");
    LeaseRow row{.lease = lease};
    for (std::size_t at = 0; at < lease.locks.size(); ++at)
        row.before.emplace(lease.locks[at], granted.before[at]);
    leases.put(lease.token, std::move(row));
}

void LeaseRows::set_head(const NewHead& head) {
    if (head.is_first && heads.find(head.lock) != nullptr)
        return transaction_.refuse("the lock has a head");
    heads.put(head.lock, head.token);
}

void LeaseRows::change(const LeaseChange& change) {
    const auto* found = row(change.token);
    if (found == nullptr) return;
    auto after = *found;
    auto& lease = after.lease;
    if (change.ttl) lease.ttl = *change.ttl;
    if (change.end && lease.state == LeaseState::Live) {
        lease.state = change.end->how;
        lease.ended_at = change.end->at.wall;
        lease.ended_since = change.end->at.now;
        after.ended_hour = change.end->at.hour;
        after.break_reason = change.end->break_reason;
    }
    if (change.is_superseded && lease.state == LeaseState::Expired)
        lease.state = LeaseState::Superseded;
    if (change.refused) after.refused = *change.refused;
    leases.put(change.token, std::move(after));
}

std::string LeaseRows::break_reason(Token token) {
    const auto* found = row(token);
    return found == nullptr ? std::string() : found->break_reason;
}

ChainHead LeaseRows::head(const LockName& lock) {
    const auto* token = transaction_.goes_on() ? heads.find(lock) : nullptr;
    if (token == nullptr) return {};
    const auto* newest = leases.find(*token);
    if (newest == nullptr) return {.token = *token, .state = LeaseState::Released};
    return {.token = *token, .state = newest->lease.state, .mode = newest->lease.claim.mode};
}

std::optional<Token> LeaseRows::before(Token token, const LockName& lock) {
    const auto* found = row(token);
    if (found == nullptr) return std::nullopt;
    const auto before = found->before.find(lock);
    return before == found->before.end() ? std::nullopt : before->second;
}

std::vector<Lease> LeaseRows::all_live() {
    std::vector<Lease> live;
    if (!transaction_.goes_on()) return live;
    for (const auto& [token, row] : leases.rows()) {
        if (row.lease.state == LeaseState::Live) live.push_back(row.lease);
    }
    return live;
}

std::vector<Lease> LeaseRows::oldest_live(int limit) {
    auto live = all_live();
    const auto most = std::min(live.size(), static_cast<std::size_t>(limit));
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(most), live.end());
    return live;
}

std::vector<LockName> LeaseRows::names(std::string_view prefix, std::string_view after, int limit) {
    std::vector<LockName> names;
    if (!transaction_.goes_on()) return names;
    for (const auto& [lock, token] : heads.rows()) {
        if (names.size() == static_cast<std::size_t>(limit)) break;
        if (lock.value() > after && lock.value().starts_with(prefix)) names.push_back(lock);
    }
    return names;
}

std::int64_t RefusalRows::count(Token token) {
    const auto* found = transaction_.goes_on() ? leases_.leases.find(token) : nullptr;
    return found == nullptr ? 0 : found->refused;
}

void RefusalRows::write(const Changes& changes) {
    for (const auto& [token, number, refused] : changes.refusals) {
        if (refusals.find({token, number}) != nullptr)
            return transaction_.refuse("the number of the refusal was used");
        refusals.put({token, number}, refused);
    }
}

std::vector<RefusedWrite> RefusalRows::of(Token token, std::int64_t limit) {
    std::vector<RefusedWrite> writes;
    if (!transaction_.goes_on()) return writes;
    for (auto at = refusals.rows().lower_bound({token, 0});
         at != refusals.rows().end() && at->first.first == token &&
         writes.size() < static_cast<std::size_t>(limit);
         ++at)
        writes.push_back(at->second);
    return writes;
}

}  // namespace fencegate::storage::memory
