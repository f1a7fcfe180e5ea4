#pragma once
// StoreMetrics: turns what the store committed into what Prometheus scrapes. The two vocabularies
// meet here and nowhere else.
// Thread rule: called on the store thread; Metrics is safe from any thread.

#include "proxy/telemetry/metrics.hpp"
#include "storage/model/store_events.hpp"

namespace fencegate::proxy {

class StoreMetrics : public storage::StoreObserver {
public:
    explicit StoreMetrics(Metrics& metrics) : metrics_(metrics) {}

    void on_events(const std::vector<storage::StoreEvent>& events) override;
    void on_levels(std::size_t lock_class, const storage::ClassLevels& levels) override;
    void on_deadlocks(std::size_t count) override;
    void on_batch(const storage::BatchStats& stats) override;
    void on_checkpoint(storage::Seconds took) override;
    void on_error(storage::StoreError error) override;
    void on_clock(Duration offset) override;
    void on_clock_jump(const ClockJump& jump) override;

private:
    void count(const storage::AcquireEvent& event);
    void count(const storage::RenewEvent& event);
    void count(const storage::LeaseEndEvent& event);
    void count(const storage::LateReturnEvent& event);
    void count(const storage::FenceEvent& event);
    void count(const storage::IdempotencyEvent& event);
    void count(const storage::PaymentEvent& event);

    Metrics& metrics_;
};

}  // namespace fencegate::proxy
