#pragma once
// Usage: how many locks each principal holds and waits for in each class, for the quotas.
// Only classes that have a quota are counted.
// Thread rule: belongs to one thread.

#include "lockmgr/lock_class.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fencegate::lockmgr {

struct Used {
    std::size_t held = 0;
    std::size_t waited_for = 0;
};

class Usage {
public:
    // `classes` outlives this.
    explicit Usage(const LockClasses& classes) : classes_(classes) {}

    // `count` is 1 or -1.
    void count_held(const std::string& principal, const std::vector<LockName>& locks, int count);
    void count_waiting(const std::string& principal, const std::vector<LockName>& locks, int count);

    // Principals with a class in which they have something. Nobody is remembered who has nothing.
    [[nodiscard]] std::size_t size() const noexcept { return used_.size(); }

    // Whether the principal may have these locks too; whether it may wait for them.
    [[nodiscard]] bool may_hold(const std::string& principal,
                                const std::vector<LockName>& locks) const;
    [[nodiscard]] bool may_wait(const std::string& principal,
                                const std::vector<LockName>& locks) const;

private:
    using Key = std::pair<std::string, std::size_t>;  // principal, index of the class

    void count(const std::string& principal, const std::vector<LockName>& locks,
               std::size_t Used::*what, int count);
    [[nodiscard]] bool has_room(const std::string& principal, const std::vector<LockName>& locks,
                                std::size_t Used::*what, std::size_t LockClass::*max) const;

    const LockClasses& classes_;
    std::map<Key, Used> used_;  // none that is zero
};

}  // namespace fencegate::lockmgr
