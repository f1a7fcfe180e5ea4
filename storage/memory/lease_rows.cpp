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

template <class Change>
void LeaseRows::change(Token token, Change change) {
    const auto* found = row(token);
    if (found == nullptr) return;
    auto after = *found;
    change(after);
    leases.put(token, std::move(after));
}

std::optional<lockmgr::TokenCounter> LeaseRows::counter() {
    if (!transaction_.goes_on()) return std::nullopt;
    const auto* counter = counter_.find(1);
    return counter == nullptr ? lockmgr::TokenCounter{} : *counter;
}

void LeaseRows::set_counter(lockmgr::TokenCounter counter) {
    if (!transaction_.goes_on()) return;
    if (counter.epoch > lockmgr::kTokenEpochMax) return transaction_.refuse("no token is left");
    counter_.put(1, counter);
}

std::optional<Lease> LeaseRows::find(Token token) {
    const auto* found = row(token);
    if (found == nullptr) return std::nullopt;
    return found->lease;
}

void LeaseRows::insert(const Lease& lease, const std::optional<Token>& before) {
    if (!transaction_.goes_on()) return;
    if (leases.find(lease.token) != nullptr) return transaction_.refuse("the token was used");
    LeaseRow row{.lease = lease, .before = {{lease.locks.front(), before}}};
    row.lease.locks.resize(1, lease.locks.front());
    leases.put(lease.token, std::move(row));
}

void LeaseRows::insert_further(Token token, const LockName& lock,
                               const std::optional<Token>& before) {
    change(token, [&](LeaseRow& row) {
        row.lease.locks.push_back(lock);
        row.before.emplace(lock, before);
    });
}

void LeaseRows::set_ttl(Token token, Duration ttl) {
    change(token, [&](LeaseRow& row) { row.lease.ttl = ttl; });
}

void LeaseRows::end(Token token, LeaseState how, Stamp now) {
    change(token, [&](LeaseRow& row) {
        if (row.lease.state != LeaseState::Live) return;
        row.lease.state = how;
        row.lease.ended_at = now.wall;
        row.lease.ended_since = now.now;
        row.ended_hour = now.hour;
    });
}

void LeaseRows::supersede(Token token) {
    change(token, [&](LeaseRow& row) {
        if (row.lease.state == LeaseState::Expired) row.lease.state = LeaseState::Superseded;
    });
}

void LeaseRows::note_break_reason(Token token, std::string_view reason) {
    change(token, [&](LeaseRow& row) { row.break_reason = reason; });
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

void LeaseRows::set_head(const LockName& lock, bool is_first, Token token) {
    if (!transaction_.goes_on()) return;
    if (is_first && heads.find(lock) != nullptr) return transaction_.refuse("the lock has a head");
    heads.put(lock, token);
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

std::int64_t RefusalRows::count_up(Token token) {
    const auto* found = transaction_.goes_on() ? leases_.leases.find(token) : nullptr;
    if (found == nullptr) return 0;
    auto after = *found;
    ++after.refused;
    leases_.leases.put(token, std::move(after));
    return count(token);
}

std::int64_t RefusalRows::count(Token token) {
    const auto* found = transaction_.goes_on() ? leases_.leases.find(token) : nullptr;
    return found == nullptr ? 0 : found->refused;
}

void RefusalRows::insert(Token token, std::int64_t number, const RefusedWrite& refused) {
    if (!transaction_.goes_on()) return;
    if (refusals.find({token, number}) != nullptr)
        return transaction_.refuse("the number of the refusal was used");
    refusals.put({token, number}, refused);
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
