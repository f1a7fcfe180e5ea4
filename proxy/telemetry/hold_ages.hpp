#pragma once
// HoldAges: how long locks have been held, by class, and who is in the way. In the way is a holder
// that turned somebody away within the last five minutes: by that a dead holder differs from a lock
// that nobody else wants.
// Two ages of those in the way tell two incidents apart. Since it was heard of, by its grant or a
// renewal: a holder that is gone, with a long TTL. Since its grant: one that lives, renews and does
// not finish; there leaders of elections are left out, who are meant to stay.
// Of leases from before the start nothing is known but how many there are: they count from the
// start, and are known again with their next renewal. Lock names are kept as hashes; two of one
// hash would be taken for one lock.
// Thread rule: note_* on the store thread, look() on any. The mutex is held for updates of a batch,
// or for a walk over the holders in the way.

#include "base/clock.hpp"
#include "lockmgr/lock_class.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "storage/model/store_events.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace fencegate::proxy {

class HoldAges {
public:
    static constexpr std::chrono::minutes kInTheWay{5};
    // Of holders that share a lock, so many of the oldest are said to be in the way.
    static constexpr std::size_t kBlamedMax = 64;

    // Both outlive this.
    HoldAges(const lockmgr::LockClasses& classes, const Clock& clock);

    // The first of a class says how many leases there were at the start.
    void note_held(ClassId lock_class, std::size_t held);
    void note_contentions(const std::vector<storage::Contention>& contentions);
    void note_notices(const std::vector<storage::LockNotice>& notices);

    // One for each class.
    [[nodiscard]] std::vector<HoldSpans> look(BootTime now) const;

private:
    using LockKey = std::size_t;
    struct Hold {
        BootTime granted;
        BootTime heard;
        std::optional<BootTime> refused{};  // when it last turned somebody away
        bool leads = false;
        std::vector<std::pair<LockKey, ClassId>> locks{};
    };
    // What is known of a class.
    struct OfClass {
        bool is_known = false;
        std::size_t inherited = 0;             // leases from before the start, not heard of yet
        std::set<lockmgr::FencingToken> held;  // the oldest is first: tokens rise
        std::unordered_set<lockmgr::FencingToken> in_the_way;
        std::unordered_map<LockKey, BootTime> strangers;  // locks of inherited ones that refused
    };

    void begin(const storage::LockNotice& notice, BootTime granted, BootTime now);
    void hear(const storage::LockNotice& notice, BootTime now);
    void end(const storage::LockNotice& notice);
    void forget_stranger(const lockmgr::LockName& lock);
    void blame(const lockmgr::LockName& lock, BootTime now);

    const lockmgr::LockClasses& classes_;
    const Clock& clock_;
    const BootTime start_;
    mutable std::mutex mutex_;  // guards what follows
    std::unordered_map<lockmgr::FencingToken, Hold> holds_;
    std::set<std::pair<LockKey, lockmgr::FencingToken>> holders_;
    std::vector<OfClass> of_class_;
};

}  // namespace fencegate::proxy
