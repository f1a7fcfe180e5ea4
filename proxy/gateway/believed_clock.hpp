#pragma once
// BelievedClock: the clock of the edge, whose wall time is the one that the store goes by. So a
// `Date`, a line of the access log and a grant tell of one time while the machine's clock is wrong.
// Thread rule: any thread, once there is a store.

#include "proxy/gateway/store_news.hpp"

namespace fencegate::proxy {

class BelievedClock final : public Clock {
public:
    // Both outlive this.
    BelievedClock(const Clock& machine, const StoreNews& store)
        : machine_(machine), store_(store) {}

    [[nodiscard]] BootTime boot_now() const override { return machine_.boot_now(); }
    [[nodiscard]] WallTime wall_now() const override {
        return store_.wall_time(machine_.boot_now());
    }
    [[nodiscard]] std::string boot_id() const override { return machine_.boot_id(); }

private:
    const Clock& machine_;
    const StoreNews& store_;
};

}  // namespace fencegate::proxy
