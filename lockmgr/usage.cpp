#include "lockmgr/usage.hpp"

#include "base/check.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

void Usage::count_held(const std::string& principal, const std::vector<LockName>& locks,
                       int count) {
    this->count(principal, locks, &Used::held, count);
}

void Usage::count_waiting(const std::string& principal, const std::vector<LockName>& locks,
                          int count) {
    this->count(principal, locks, &Used::waited_for, count);
}

bool Usage::may_hold(const std::string& principal, const std::vector<LockName>& locks) const {
    return has_room(principal, locks, &Used::held, &LockClass::locks_per_principal_max);
}

bool Usage::may_wait(const std::string& principal, const std::vector<LockName>& locks) const {
    return has_room(principal, locks, &Used::waited_for, &LockClass::waiters_per_principal_max);
}

void Usage::count(const std::string& principal, const std::vector<LockName>& locks,
                  std::size_t Used::*what, int count) {
    for (const auto& lock : locks) {
        const auto lock_class = classes_.index_of(lock);
        if (!has_quota(classes_[lock_class])) continue;
        const auto entry = used_.try_emplace({principal, lock_class}).first;
        auto& used = entry->second;
        FG_CHECK(count > 0 || used.*what > 0);
        used.*what = count > 0 ? used.*what + 1 : used.*what - 1;
        if (used.held == 0 && used.waited_for == 0) used_.erase(entry);
    }
}

bool Usage::has_room(const std::string& principal, const std::vector<LockName>& locks,
                     std::size_t Used::*what, std::size_t LockClass::*max) const {
    return std::ranges::all_of(locks, [&](const LockName& lock) {
        const auto lock_class = classes_.index_of(lock);
        const auto limit = classes_[lock_class].*max;
        if (limit == 0) return true;
        const auto more = static_cast<std::size_t>(std::ranges::count_if(
            locks, [&](const LockName& other) { return classes_.index_of(other) == lock_class; }));
        const auto entry = used_.find({principal, lock_class});
        return (entry == used_.end() ? 0 : entry->second.*what) + more <= limit;
    });
}

}  // namespace fencegate::lockmgr
