#pragma once
// LockClass: the operator's settings for a group of lock names, and the only lock label on metrics.
// A name belongs to the class called like its first segment, else to the class "other", which
// always exists and is always last: 10^5 first segments add no class.
// Thread rule: LockClasses is immutable after construction and may be shared.

#include "base/clock.hpp"
#include "lockmgr/lock_name.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace fencegate::lockmgr {

struct LockClass {
    std::string name;
    Duration ttl_min{100};
    Duration ttl_max{3'600'000};
    Duration ttl_default{30'000};
    bool accepts_late_writes = false;  // under an expired token that nobody superseded
};

class LockClasses {
public:
    // Appends "other" with default settings unless `classes` configures it.
    explicit LockClasses(std::vector<LockClass> classes);

    [[nodiscard]] std::size_t index_of(const LockName& name) const noexcept;
    [[nodiscard]] const LockClass& operator[](std::size_t index) const { return classes_[index]; }
    [[nodiscard]] const LockClass& of(const LockName& name) const {
        return classes_[index_of(name)];
    }
    [[nodiscard]] std::size_t size() const noexcept { return classes_.size(); }

private:
    std::vector<LockClass> classes_;  // a handful: searched in order
};

}  // namespace fencegate::lockmgr
