#pragma once
// StoreNews: the gateway's one observer of the store. Counters go to the metrics, names that make
// trouble to the hot locks, what happened to locks to the watchers. The operator's log has one line
// for each damaged page, however often it is met, and one for a clock that was set.
// Thread rule: called on the store thread, unless it says otherwise.

#include "base/log.hpp"
#include "proxy/streams/watch_log.hpp"
#include "proxy/telemetry/hold_ages.hpp"
#include "proxy/telemetry/hot_locks.hpp"
#include "proxy/telemetry/store_metrics.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

namespace fencegate::proxy {

class StoreNews final : public StoreMetrics {
public:
    // `on_other_time` is called when another wall time is believed than before.
    StoreNews(Metrics& metrics, HotLocks& hot_locks, HoldAges& hold_ages, WatchLog& watch_log,
              const Log& log, std::function<void()> on_other_time)
        : StoreMetrics(metrics),
          hot_locks_(hot_locks),
          hold_ages_(hold_ages),
          watch_log_(watch_log),
          log_(log),
          on_other_time_(std::move(on_other_time)) {}

    void on_contentions(const std::vector<storage::Contention>& contentions) override {
        hot_locks_.note_contentions(contentions);
        hold_ages_.note_contentions(contentions);
    }
    void on_notices(std::vector<storage::LockNotice> notices) override {
        hot_locks_.note_notices(notices);
        hold_ages_.note_notices(notices);
        watch_log_.publish(std::move(notices));
    }
    void on_levels(std::size_t lock_class, const storage::ClassLevels& levels) override {
        StoreMetrics::on_levels(lock_class, levels);
        hold_ages_.note_held(lock_class, levels.held);
    }
    void on_damage(const std::string& what) override;
    void on_clock(Duration offset) override;
    // Also told to the operator.
    void on_clock_jump(const ClockJump& jump) override;

    // The wall time that the store goes by. From any thread, once there is a store.
    [[nodiscard]] WallTime wall_time(BootTime now) const noexcept;

private:
    HotLocks& hot_locks_;
    HoldAges& hold_ages_;
    WatchLog& watch_log_;
    const Log& log_;
    std::set<std::string> damages_told_;
    std::function<void()> on_other_time_;
    std::atomic<std::int64_t> offset_ms_{0};
};

}  // namespace fencegate::proxy
