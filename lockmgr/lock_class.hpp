#pragma once
// LockClass: the operator's settings for a group of lock names, and the only lock label on metrics.
// A name belongs to the class called like its first segment, else to the class "other", which
// always exists and is always last: 10^5 first segments add no class.
// Thread rule: LockClasses is immutable after construction and may be shared.

#include "base/clock.hpp"
#include "lockmgr/lock_name.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::lockmgr {

struct LockClass {
    std::string name;
    Duration ttl_min{100};
    Duration ttl_max{3'600'000};
    Duration ttl_default{30'000};
    bool accepts_late_writes = false;  // under an expired token that nobody superseded
    Duration place_kept{5'000};  // in line, for a waiter with a key that leaves; zero: not at all
    // For the alerts: a holder in others' way may be silent, and may hold, for so long. Zero: for
    // ever.
    Duration alert_silent_after{300'000};
    Duration alert_held_after{1'800'000};
    // Zero: no limit, for this and all that follow.
    Duration max_hold{0};                   // no renewal goes beyond this after the grant
    Duration lock_delay{0};                 // how long a lock rests after an expiry
    std::int64_t stalled_renewals_max = 0;  // renewals without progress, for who sends progress
    std::size_t waiters_per_lock_max = 0;   // beside the limit for all locks
    std::size_t locks_per_principal_max = 0;
    std::size_t waiters_per_principal_max = 0;
};

[[nodiscard]] inline bool has_quota(const LockClass& klass) noexcept {
    return klass.locks_per_principal_max > 0 || klass.waiters_per_principal_max > 0;
}

class LockClasses {
public:
    // Appends "other" with default settings unless `classes` configures it.
    explicit LockClasses(std::vector<LockClass> classes);

    [[nodiscard]] std::size_t index_of(const LockName& name) const noexcept;
    [[nodiscard]] const LockClass& operator[](std::size_t index) const { return classes_[index]; }
    [[nodiscard]] const LockClass& of(const LockName& name) const {
        return classes_[index_of(name)];
    }
    // By its own name.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
    // What goes for a lease over all these locks: of each setting the strictest.
    // REQUIRES: `locks` is not empty.
    [[nodiscard]] LockClass strictest(const std::vector<LockName>& locks) const;
    [[nodiscard]] std::size_t size() const noexcept { return classes_.size(); }

private:
    std::vector<LockClass> classes_;  // a handful: searched in order
};

}  // namespace fencegate::lockmgr
