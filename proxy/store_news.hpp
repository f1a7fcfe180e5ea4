#pragma once
// StoreNews: the gateway's one observer of the store. Counters go to the metrics, names that make
// trouble to the hot locks, what happened to locks to the watchers, and of each damaged page one line
// to the log, however often it is met.
// Thread rule: called on the store thread.

#include "proxy/hot_locks.hpp"
#include "proxy/store_metrics.hpp"
#include "proxy/watch_log.hpp"

#include <set>
#include <string>
#include <utility>

namespace fencegate::proxy {

class StoreNews final : public StoreMetrics {
public:
    StoreNews(Metrics& metrics, HotLocks& hot_locks, WatchLog& watch_log)
        : StoreMetrics(metrics), hot_locks_(hot_locks), watch_log_(watch_log) {}

    void on_contentions(const std::vector<storage::Contention>& contentions) override {
        hot_locks_.note_contentions(contentions);
    }
    void on_notices(std::vector<storage::LockNotice> notices) override {
        hot_locks_.note_notices(notices);
        watch_log_.publish(std::move(notices));
    }
    void on_damage(const std::string& what) override;

private:
    HotLocks& hot_locks_;
    WatchLog& watch_log_;
    std::set<std::string> damages_told_;
};

}  // namespace fencegate::proxy
