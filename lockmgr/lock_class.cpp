#include "lockmgr/lock_class.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

namespace {
constexpr std::string_view kOther = "other";

// The smaller of two limits of which zero means none.
template <class T>
T stricter(T left, T right) {
    if (left == T{} || right == T{}) return std::max(left, right);
    return std::min(left, right);
}

}  // namespace

LockClasses::LockClasses(std::vector<LockClass> classes) : classes_(std::move(classes)) {
    const auto other = std::ranges::find(classes_, kOther, &LockClass::name);
    if (other == classes_.end()) {
        classes_.push_back(LockClass{.name = std::string(kOther)});
    } else {
        std::rotate(other, other + 1, classes_.end());
    }
}

std::size_t LockClasses::index_of(const LockName& name) const noexcept {
    const auto segment = name.first_segment();
    for (std::size_t index = 0; index + 1 < classes_.size(); ++index) {
        if (classes_[index].name == segment) return index;
    }
    return classes_.size() - 1;
}

std::optional<std::size_t> LockClasses::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(classes_, name, &LockClass::name);
    if (found == classes_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - classes_.begin());
}

LockClass LockClasses::strictest(const std::vector<LockName>& locks) const {
    auto all = of(locks.front());
    for (auto lock = locks.begin() + 1; lock != locks.end(); ++lock) {
        const auto& next = of(*lock);
        all.ttl_min = std::max(all.ttl_min, next.ttl_min);
        all.ttl_max = std::min(all.ttl_max, next.ttl_max);
        all.ttl_default = std::min(all.ttl_default, next.ttl_default);
        all.accepts_late_writes = all.accepts_late_writes && next.accepts_late_writes;
        all.max_hold = stricter(all.max_hold, next.max_hold);
        all.lock_delay = std::max(all.lock_delay, next.lock_delay);
        all.place_kept = std::min(all.place_kept, next.place_kept);
        all.stalled_renewals_max = stricter(all.stalled_renewals_max, next.stalled_renewals_max);
        all.waiters_per_lock_max = stricter(all.waiters_per_lock_max, next.waiters_per_lock_max);
    }
    // Nobody is refused for a TTL that it did not choose. Bounds that exclude each other refuse
    // all.
    all.ttl_default = std::max(all.ttl_min, std::min(all.ttl_default, all.ttl_max));
    return all;
}

}  // namespace fencegate::lockmgr
