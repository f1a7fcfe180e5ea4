#include "lockmgr/lock_class.hpp"

#include <algorithm>

namespace fencegate::lockmgr {

namespace {
constexpr std::string_view kOther = "other";
}

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

}  // namespace fencegate::lockmgr
