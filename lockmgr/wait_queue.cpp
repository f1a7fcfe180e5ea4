#include "lockmgr/wait_queue.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

void WaitQueue::index(Line::iterator place) {
    const bool is_new = places_.emplace(place->id, place).second;
    FG_CHECK(is_new);
    deadlines_.emplace(place->deadline, place->id.value());
}

bool WaitQueue::push_back(Waiter waiter) {
    if (places_.size() >= limits_.total_max) return false;
    if (waiting_for(waiter.lock) >= limits_.per_lock_max) return false;
    auto& line = lines_[waiter.lock];
    FG_CHECK(line.empty() || line.back().id < waiter.id);
    line.push_back(std::move(waiter));
    index(std::prev(line.end()));
    return true;
}

std::optional<Waiter> WaitQueue::pop_front(const LockName& lock) {
    const auto line = lines_.find(lock);
    if (line == lines_.end()) return std::nullopt;
    return remove(line->second.front().id);
}

std::optional<Waiter> WaitQueue::remove(WaiterId id) {
    const auto found = places_.find(id);
    if (found == places_.end()) return std::nullopt;
    const auto place = found->second;
    auto waiter = std::move(*place);
    deadlines_.erase({waiter.deadline, id.value()});
    places_.erase(found);
    const auto line = lines_.find(waiter.lock);
    line->second.erase(place);
    if (line->second.empty()) lines_.erase(line);
    return waiter;
}

void WaitQueue::restore(Waiter waiter) {
    auto& line = lines_[waiter.lock];
    const auto behind =
        std::ranges::find_if(line, [&](const Waiter& other) { return other.id > waiter.id; });
    index(line.insert(behind, std::move(waiter)));
}

std::size_t WaitQueue::waiting_for(const LockName& lock) const {
    const auto line = lines_.find(lock);
    return line == lines_.end() ? 0 : line->second.size();
}

std::vector<WaiterId> WaitQueue::line(const LockName& lock) const {
    std::vector<WaiterId> ids;
    const auto line = lines_.find(lock);
    if (line == lines_.end()) return ids;
    for (const auto& waiter : line->second) ids.push_back(waiter.id);
    return ids;
}

std::optional<BootTime> WaitQueue::next_deadline() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

std::optional<WaiterId> WaitQueue::due(BootTime now) const {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
    return WaiterId(deadlines_.begin()->second);
}

}  // namespace fencegate::lockmgr
