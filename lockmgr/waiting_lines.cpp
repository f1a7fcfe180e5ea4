#include "lockmgr/waiting_lines.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::lockmgr {
namespace {

template <class Lines>
void erase_from(Lines& lines, const LockName& lock, WaiterId id) {
    const auto line = lines.find(lock);
    line->second.erase(id);
    if (line->second.empty()) lines.erase(line);
}

}  // namespace

bool WaitingLines::has_room(const std::vector<LockName>& locks, std::size_t per_lock_max) const {
    if (waiters_.size() >= limits_.total_max) return false;
    const auto lock_max =
        per_lock_max > 0 ? std::min(per_lock_max, limits_.per_lock_max) : limits_.per_lock_max;
    return std::ranges::all_of(
        locks, [&](const LockName& lock) { return places(lock).size() < lock_max; });
}

void WaitingLines::insert(Waiter waiter) {
    const auto id = waiter.id;
    for (const auto& lock : waiter.locks) {
        places_[lock].insert(id);
        if (!waiter.is_away()) lines_[lock].insert(id);
    }
    if (waiter.is_away()) {
        kept_.arm(id, *waiter.away_until);
    } else {
        deadlines_.emplace(waiter.deadline, id);
    }
    bool is_new = !waiter.key || keys_.emplace(waiter.key->asker, id).second;
    is_new = waiters_.emplace(id, std::move(waiter)).second && is_new;
    FG_CHECK(is_new);
}

std::optional<Waiter> WaitingLines::remove(WaiterId id) {
    auto found = waiters_.extract(id);
    if (found.empty()) return std::nullopt;
    auto waiter = std::move(found.mapped());
    if (waiter.key) keys_.erase(waiter.key->asker);
    if (waiter.is_away()) {
        waiter.away_until = kept_.disarm(id);
    } else {
        deadlines_.erase({waiter.deadline, id});
    }
    for (const auto& lock : waiter.locks) {
        erase_from(places_, lock, id);
        if (!waiter.is_away()) erase_from(lines_, lock, id);
    }
    return waiter;
}

const Waiter* WaitingLines::first(const LockName& lock) const {
    const auto& waiting = line(lock);
    return waiting.empty() ? nullptr : find(*waiting.begin());
}

const Waiter* WaitingLines::find(WaiterId id) const {
    const auto found = waiters_.find(id);
    return found == waiters_.end() ? nullptr : &found->second;
}

const Waiter* WaitingLines::find_key(const AskerKey& key) const {
    const auto found = keys_.find(key);
    return found == keys_.end() ? nullptr : find(found->second);
}

bool WaitingLines::is_first(const std::vector<LockName>& locks, WaiterId id) const {
    return std::ranges::all_of(locks, [&](const LockName& lock) {
        const auto& waiting = line(lock);
        return waiting.empty() || *waiting.begin() >= id;
    });
}

std::size_t WaitingLines::waiting_for(const LockName& lock) const { return line(lock).size(); }

const WaitingLines::Line& WaitingLines::line(const LockName& lock) const {
    static const Line kNobody;
    const auto found = lines_.find(lock);
    return found == lines_.end() ? kNobody : found->second;
}

const WaitingLines::Places& WaitingLines::places(const LockName& lock) const {
    static const Places kNobody;
    const auto found = places_.find(lock);
    return found == places_.end() ? kNobody : found->second;
}

std::vector<WaiterId> WaitingLines::all() const {
    std::vector<WaiterId> ids;
    ids.reserve(deadlines_.size());
    for (const auto& [deadline, id] : deadlines_) ids.push_back(id);
    std::ranges::sort(ids);
    return ids;
}

std::optional<BootTime> WaitingLines::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

std::optional<WaiterId> WaitingLines::due(BootTime now) const {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
    return deadlines_.begin()->second;
}

}  // namespace fencegate::lockmgr
