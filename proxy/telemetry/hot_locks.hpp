#pragma once
// HotLocks: which locks make the trouble that the metrics only show by class: the most waited for,
// the most contended, the most often expired, the most often refused a write. Over the last hour,
// in memory that does not grow with the number of names.
// The hour is six slots of ten minutes; the oldest is dropped as a whole, so what is told covers 50
// to 60 minutes. Each slot keeps the 256 heaviest names of each ranking (heavy_hitters.hpp): what a
// name has is known to within 1/256 of the ranking's total, and exactly while fewer come.
// Thread rule: note_* on the store thread, rank() on any. The mutex is held for an update of a few
// names, or for a copy of 256.

#include "base/clock.hpp"
#include "proxy/telemetry/heavy_hitters.hpp"
#include "storage/model/store_events.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fencegate::proxy {

class HotLocks {
public:
    enum class Ranking : std::uint8_t {
        Waited,     // milliseconds that ended waits took
        Contended,  // acquires that were not granted at once
        Expired,
        Refused,  // writes, by the fence
    };
    static constexpr std::size_t kRankings = 4;
    static constexpr std::size_t kNamesKept = 256;  // in each slot and ranking
    static constexpr std::size_t kSlots = 6;
    static constexpr std::chrono::minutes kSlotLength{10};

    // `clock` outlives this.
    explicit HotLocks(const Clock& clock);

    void note_contentions(const std::vector<storage::Contention>& contentions);
    void note_notices(const std::vector<storage::LockNotice>& notices);

    // The first `limit` of the last hour, heaviest first by what is certain.
    [[nodiscard]] std::vector<HeavyHitters::Item> rank(Ranking ranking, std::size_t limit) const;

private:
    struct Slot {
        explicit Slot(std::int64_t number_since_boot);

        std::int64_t number;  // of the slot since boot; what it holds is then
        std::array<HeavyHitters, kRankings> rankings;
    };

    void add(Ranking ranking, const lockmgr::LockName& lock, double weight);
    [[nodiscard]] std::int64_t slot_number() const;
    void open_slot();

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::array<std::unique_ptr<Slot>, kSlots> slots_;  // a slot is made when it is first needed
    Slot* now_ = nullptr;                              // while the mutex is held by a note_*
};

// The document of /locks/hot. `longest_held_json` is the array that the store has rendered.
[[nodiscard]] std::string hot_locks_document(const HotLocks& hot,
                                             std::string_view longest_held_json, std::size_t limit);

}  // namespace fencegate::proxy
