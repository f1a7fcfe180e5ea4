#include "storage/unit/lease_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace fencegate::storage {
namespace {

using lockmgr::FenceVerdict;
using lockmgr::QuantileSketch;

std::int64_t ms(Seconds span) { return std::llround(span.count() * 1e3); }

std::int64_t per_mille(double share) { return std::llround(share * 1e3); }

std::int64_t number_of(BootTime now) {
    return now.time_since_epoch() / LeaseStatistics::kSlotLength;
}

lockmgr::Spread spread_of(const QuantileSketch& sketch) {
    return {.count = sketch.count(),
            .p50 = Duration(sketch.quantile(.5)),
            .p99 = Duration(sketch.quantile(.99)),
            .max = Duration(sketch.max())};
}

std::optional<std::int64_t> percent_left(const QuantileSketch& sketch) {
    if (sketch.count() == 0) return std::nullopt;
    return sketch.quantile(.01) / 10;
}

bool is_late_write(const FenceEvent& check) {
    return check.extra == FenceEvent::Extra::None &&
           (check.verdict == FenceVerdict::Expired || check.verdict == FenceVerdict::Stale ||
            check.verdict == FenceVerdict::AcceptedLate);
}

}  // namespace

void LeaseStatistics::note(const std::vector<StoreEvent>& events, BootTime now) {
    for (const auto& event : events) {
        if (const auto* end = std::get_if<LeaseEndEvent>(&event)) {
            note(*end, now);
        } else if (const auto* renewal = std::get_if<RenewEvent>(&event)) {
            note(*renewal, now);
        } else if (const auto* back = std::get_if<LateReturnEvent>(&event)) {
            note(*back, now);
        } else if (const auto* check = std::get_if<FenceEvent>(&event)) {
            note(*check, now);
        }
    }
}

void LeaseStatistics::note(const LeaseEndEvent& end, BootTime now) {
    auto& slot = slot_of(end.lock_class, now);
    slot.hold.record(ms(end.held));
    slot.ttl.record(ms(end.ttl));
    if (end.ending == lockmgr::LeaseEnding::Expired) ++slot.expired;
    if (end.share_left_at_write) slot.left_at_write.record(per_mille(*end.share_left_at_write));
    if (end.ending != lockmgr::LeaseEnding::Released) return;
    // Since its last renewal. A lease whose deadline max_hold has cut began with less than its TTL.
    slot.needed.record(ms(std::min(end.held, end.ttl - end.remaining)));
    slot.left_at_release.record(per_mille(end.remaining / end.ttl));
}

void LeaseStatistics::note(const RenewEvent& renewal, BootTime now) {
    auto& slot = slot_of(renewal.lock_class, now);
    ++slot.renewals;
    slot.needed.record(ms(renewal.ttl * (1 - renewal.share_left)));
    slot.left_at_renewal.record(per_mille(renewal.share_left));
}

void LeaseStatistics::note(const LateReturnEvent& back, BootTime now) {
    auto& slot = slot_of(back.lock_class, now);
    ++slot.late_returns;
    note_late(slot, back.ttl, back.late);
}

void LeaseStatistics::note(const FenceEvent& check, BootTime now) {
    if (!is_late_write(check)) return;
    auto& slot = slot_of(check.lock_class, now);
    ++slot.late_writes;
    note_late(slot, check.ttl, check.stale_for);
}

// Who comes back later than that was gone, not slow: no TTL should wait for it.
void LeaseStatistics::note_late(Slot& slot, Seconds ttl, Seconds late) {
    if (late <= ttl) slot.needed.record(ms(ttl + late));
}

LeaseStatistics::Slot& LeaseStatistics::slot_of(std::size_t lock_class, BootTime now) {
    const auto number = number_of(now);
    auto& slot = classes_[lock_class][static_cast<std::size_t>(number) % kSlots];
    if (slot.number != number) {
        slot = Slot{};
        slot.number = number;
    }
    return slot;
}

void LeaseStatistics::Slot::add(const Slot& other) {
    expired += other.expired;
    renewals += other.renewals;
    late_writes += other.late_writes;
    late_returns += other.late_returns;
    hold.add(other.hold);
    needed.add(other.needed);
    ttl.add(other.ttl);
    left_at_release.add(other.left_at_release);
    left_at_write.add(other.left_at_write);
    left_at_renewal.add(other.left_at_renewal);
}

lockmgr::TtlFigures LeaseStatistics::figures(std::size_t lock_class,
                                             const lockmgr::LockClass& settings,
                                             BootTime now) const {
    Slot sum;
    const auto oldest = number_of(now) - static_cast<std::int64_t>(kSlots) + 1;
    for (const auto& slot : classes_[lock_class]) {
        if (slot.number >= oldest) sum.add(slot);
    }
    // To the millisecond if most leases have what the class gives.
    const auto ttl = sum.ttl.quantile(.5);
    const auto given = settings.ttl_default.count();
    const bool is_given = sum.ttl.count() == 0 || QuantileSketch::are_alike(ttl, given);
    return {.leases = sum.hold.count(),
            .expired = sum.expired,
            .renewals = sum.renewals,
            .late_writes = sum.late_writes,
            .late_returns = sum.late_returns,
            .hold = spread_of(sum.hold),
            .needed = spread_of(sum.needed),
            .ttl = Duration(is_given ? given : ttl),
            .left_at_release = percent_left(sum.left_at_release),
            .left_at_write = percent_left(sum.left_at_write),
            .left_at_renewal = percent_left(sum.left_at_renewal)};
}

}  // namespace fencegate::storage
