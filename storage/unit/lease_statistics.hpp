#pragma once
// LeaseStatistics: how the leases of each class went in the last day, for the advice on TTLs.
// The day is twelve slots of two hours, the oldest dropped as a whole, so 22 to 24 hours are told;
// a restart begins anew. Memory: some 13 KB a class and slot in which leases ended.
// Sees committed events only. Thread rule: belongs to the store thread.

#include "base/clock.hpp"
#include "lockmgr/quantile_sketch.hpp"
#include "lockmgr/ttl_advice.hpp"
#include "storage/model/store_events.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fencegate::storage {

class LeaseStatistics {
public:
    static constexpr std::size_t kSlots = 12;
    static constexpr std::chrono::hours kSlotLength{2};

    explicit LeaseStatistics(std::size_t classes) : classes_(classes) {}

    void note(const std::vector<StoreEvent>& events, BootTime now);

    [[nodiscard]] lockmgr::TtlFigures figures(std::size_t lock_class,
                                              const lockmgr::LockClass& settings,
                                              BootTime now) const;

private:
    struct Slot {
        std::int64_t number = -1;
        std::uint64_t expired = 0;
        std::uint64_t renewals = 0;
        std::uint64_t late_writes = 0;
        std::uint64_t late_returns = 0;
        // In milliseconds, up to 49 days; shares of the TTL in per mille.
        lockmgr::QuantileSketch hold{UINT32_MAX};
        lockmgr::QuantileSketch needed{UINT32_MAX};
        lockmgr::QuantileSketch ttl{UINT32_MAX};
        lockmgr::QuantileSketch left_at_release{1'000};
        lockmgr::QuantileSketch left_at_write{1'000};
        lockmgr::QuantileSketch left_at_renewal{1'000};

        void add(const Slot& other);
    };
    using Slots = std::array<Slot, kSlots>;

    [[nodiscard]] Slot& slot_of(std::size_t lock_class, BootTime now);
    void note(const LeaseEndEvent& end, BootTime now);
    void note(const RenewEvent& renewal, BootTime now);
    void note(const LateReturnEvent& back, BootTime now);
    void note(const FenceEvent& check, BootTime now);
    // Of a holder that came back so long after the end of its lease.
    static void note_late(Slot& slot, Seconds ttl, Seconds late);

    std::vector<Slots> classes_;
};

}  // namespace fencegate::storage
