#include "cli/top/model.hpp"

#include "base/overloaded.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::cli::top {
namespace {

constexpr std::size_t kOwnersMax = 512;

Holder holder_of(const HolderReading& reading, WallTime now) {
    return {.token = reading.token,
            .principal = reading.principal,
            .owner = reading.owner,
            .ttl = reading.ttl,
            .granted_at = reading.granted_at,
            .ends_at = now + reading.remaining};
}

Holder* find(Lock& lock, std::int64_t token) {
    const auto found = std::ranges::find(lock.holders, token, &Holder::token);
    return found == lock.holders.end() ? nullptr : &*found;
}

bool is_idle(const Lock& lock) {
    return lock.holders.empty() && lock.holders_unseen == 0 && lock.waiters == 0;
}

}  // namespace

void Model::apply(const News& news) {
    const auto now = news.heard_at + skew_;
    std::visit(Overloaded{[&](const Happening& event) { take(event); },
                          [&](const LockReading& reading) { take(reading, now); },
                          [&](const LockPage& page) { take(page, now); },
                          [&](const Link& link) {
                              if (link.state != link_.state) link_since_ = now;
                              link_ = link;
                          },
                          [&](const Missed&) {
                              locks_.clear();
                              is_complete_ = has_more_locks_ = false;
                              covered_since_ = now;
                          },
                          [&](const Skew& skew) { skew_ = skew.ahead; },
                          [&](const CoveredSince& since) { covered_since_ = since.at; }},
               news.what);
}

void Model::take(const Happening& event) {
    rates_.add(event);
    switch (event.kind) {
        case Kind::Granted: return grant(event);
        case Kind::Renewed: return renew(event);
        case Kind::Ended: return end(event);
        case Kind::Refused: return refuse(event);
    }
}

void Model::grant(const Happening& event) {
    for (const auto& name : event.locks) {
        auto* lock = find_or_add(name);
        if (lock == nullptr) continue;
        auto* holder = find(*lock, event.token);
        if (holder == nullptr) holder = &lock->holders.emplace_back();
        *holder = {.token = event.token,
                   .principal = event.principal,
                   .owner = event.owner,
                   .ttl = event.ttl,
                   .granted_at = event.at,
                   .ends_at = event.at + event.ttl};
    }
}

void Model::renew(const Happening& event) {
    for (const auto& name : event.locks) {
        auto* lock = find_or_add(name);
        if (lock == nullptr) continue;
        auto* holder = find(*lock, event.token);
        if (holder == nullptr) {
            // One of those that a reading had only counted. When it was granted is not known.
            if (lock->holders_unseen > 0) --lock->holders_unseen;
            holder = &lock->holders.emplace_back(Holder{.token = event.token,
                                                        .principal = event.principal,
                                                        .owner = event.owner,
                                                        .granted_at = event.at});
        }
        holder->ttl = event.ttl;
        holder->ends_at = event.at + event.ttl;
    }
}

void Model::end(const Happening& event) {
    Recent recent{.what = event, .owner = event.owner};
    for (const auto& name : event.locks) {
        const auto found = locks_.find(name);
        if (found == locks_.end()) continue;
        auto& lock = found->second;
        if (const auto* holder = find(lock, event.token)) {
            recent.held = std::max(event.at - holder->granted_at, Duration::zero());
            std::erase_if(lock.holders, [&](const auto& one) { return one.token == event.token; });
        } else if (lock.holders_unseen > 0) {
            --lock.holders_unseen;
        }
        drop_if_idle(name);
    }
    owners_.emplace_front(event.token, event.owner);
    if (owners_.size() > kOwnersMax) owners_.pop_back();
    if (event.ending != lockmgr::LeaseEnding::Released) remember(ended_, std::move(recent));
}

void Model::refuse(const Happening& event) {
    const auto known =
        std::ranges::find(owners_, event.token, [](const auto& entry) { return entry.first; });
    remember(refused_, {.what = event, .owner = known == owners_.end() ? "" : known->second});
}

void Model::take(const LockReading& reading, WallTime now) {
    auto* lock = find_or_add(reading.lock);
    if (lock == nullptr) return;
    auto known = std::exchange(lock->holders, {});
    for (const auto& seen : reading.holders) lock->holders.push_back(holder_of(seen, now));
    std::erase_if(known, [lock](const auto& holder) { return find(*lock, holder.token); });
    // A list shows one holder of several. Those that events named are the others, if they fit.
    if (lock->holders.size() + known.size() <= reading.holder_count)
        lock->holders.insert(lock->holders.end(), known.begin(), known.end());
    std::ranges::sort(lock->holders, {}, &Holder::token);
    lock->holders_unseen = reading.holder_count - lock->holders.size();
    lock->waiters = reading.waiters;
    lock->is_resting = reading.holder_count == 0 && reading.waiters > 0;
    if (reading.longest_wait || reading.waiters == 0) {
        lock->longest_wait = reading.longest_wait;
        lock->line_read_at = now;
    }
    drop_if_idle(reading.lock);
}

// Locks within the page's bounds that are not on it are held no longer, and whoever stood in line
// has gone or was served: unless the lock was seen to rest, which only a reading of its own ends.
void Model::take(const LockPage& page, WallTime now) {
    auto listed = page.locks.begin();
    auto lock = locks_.upper_bound(page.after);
    if (page.after.empty()) lock = locks_.begin();
    while (lock != locks_.end() && (!page.until || lock->first <= *page.until)) {
        while (listed != page.locks.end() && listed->lock < lock->first) ++listed;
        const auto here = lock++;
        if (listed != page.locks.end() && listed->lock == here->first) continue;
        here->second.holders.clear();
        here->second.holders_unseen = 0;
        if (!here->second.is_resting) locks_.erase(here);
    }
    if (page.after.empty()) has_more_locks_ = false;
    for (const auto& reading : page.locks) take(reading, now);
    if (!page.until || has_more_locks_) is_complete_ = true;
}

Lock* Model::find_or_add(const std::string& name) {
    const auto found = locks_.find(name);
    if (found != locks_.end()) return &found->second;
    if (locks_.size() >= kLocksMax) {
        has_more_locks_ = true;
        return nullptr;
    }
    return &locks_[name];
}

void Model::drop_if_idle(const std::string& name) {
    const auto found = locks_.find(name);
    if (found != locks_.end() && is_idle(found->second)) locks_.erase(found);
}

void Model::remember(std::deque<Recent>& list, Recent recent) {
    list.push_front(std::move(recent));
    if (list.size() > kRecentMax) list.pop_back();
}

}  // namespace fencegate::cli::top
