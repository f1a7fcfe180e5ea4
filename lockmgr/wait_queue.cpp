#include "lockmgr/wait_queue.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

bool WaitQueue::has_room(const std::vector<LockName>& locks, std::size_t per_lock_max) const {
    if (waiters_.size() >= limits_.total_max) return false;
    const auto lock_max =
        per_lock_max > 0 ? std::min(per_lock_max, limits_.per_lock_max) : limits_.per_lock_max;
    return std::ranges::all_of(locks,
                               [&](const LockName& lock) { return waiting_for(lock) < lock_max; });
}

void WaitQueue::insert(Waiter waiter) {
    const auto id = waiter.id;
    for (const auto& lock : waiter.locks) lines_[lock].insert(id);
    deadlines_.emplace(waiter.deadline, id);
    const bool is_new = waiters_.emplace(id, std::move(waiter)).second;
    FG_CHECK(is_new);
}

std::optional<Waiter> WaitQueue::remove(WaiterId id) {
    auto found = waiters_.extract(id);
    if (found.empty()) return std::nullopt;
    auto waiter = std::move(found.mapped());
    deadlines_.erase({waiter.deadline, id});
    for (const auto& lock : waiter.locks) {
        const auto line = lines_.find(lock);
        line->second.erase(id);
        if (line->second.empty()) lines_.erase(line);
    }
    return waiter;
}

const Waiter* WaitQueue::first(const LockName& lock) const {
    const auto& waiting = line(lock);
    return waiting.empty() ? nullptr : find(*waiting.begin());
}

const Waiter* WaitQueue::find(WaiterId id) const {
    const auto found = waiters_.find(id);
    return found == waiters_.end() ? nullptr : &found->second;
}

bool WaitQueue::is_first(const Waiter& waiter) const {
    return std::ranges::all_of(waiter.locks, [&](const LockName& lock) {
        const auto& waiting = line(lock);
        return waiting.empty() || *waiting.begin() >= waiter.id;
    });
}

std::size_t WaitQueue::waiting_for(const LockName& lock) const { return line(lock).size(); }

const WaitQueue::Line& WaitQueue::line(const LockName& lock) const {
    static const Line kNobody;
    const auto found = lines_.find(lock);
    return found == lines_.end() ? kNobody : found->second;
}

std::vector<WaiterId> WaitQueue::all() const {
    std::vector<WaiterId> ids;
    ids.reserve(waiters_.size());
    for (const auto& [id, waiter] : waiters_) ids.push_back(id);
    std::ranges::sort(ids);
    return ids;
}

std::optional<BootTime> WaitQueue::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

std::optional<WaiterId> WaitQueue::due(BootTime now) const {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
    return deadlines_.begin()->second;
}

}  // namespace fencegate::lockmgr
