#pragma once
// StoreNews: the gateway's one observer of the store. Counters go to the metrics, what happened to
// locks goes to the watchers. Thread rule: called on the store thread.

#include "proxy/store_metrics.hpp"
#include "proxy/watch_log.hpp"

#include <utility>

namespace fencegate::proxy {

class StoreNews final : public StoreMetrics {
public:
    StoreNews(Metrics& metrics, WatchLog& watch_log)
        : StoreMetrics(metrics), watch_log_(watch_log) {}

    void on_notices(std::vector<storage::LockNotice> notices) override {
        watch_log_.publish(std::move(notices));
    }

private:
    WatchLog& watch_log_;
};

}  // namespace fencegate::proxy
