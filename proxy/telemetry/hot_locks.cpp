#include "proxy/telemetry/hot_locks.hpp"

#include "base/json_writer.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace fencegate::proxy {
namespace {

using Ranking = HotLocks::Ranking;

// What several slots say about one name. A slot that does not keep it may have dropped it: there it
// has up to the slot's floor.
struct Sum {
    double at_least = 0;
    double above_floors = 0;
};

// In which list it counts; nullopt: in none.
std::optional<Ranking> ranking_of(const storage::LockNotice& notice) {
    using Kind = storage::LockNotice::Kind;
    if (notice.kind == Kind::Refused) return Ranking::Refused;
    const bool is_expiry =
        notice.kind == Kind::Ended && notice.ending == lockmgr::LeaseEnding::Expired;
    return is_expiry ? std::optional(Ranking::Expired) : std::nullopt;
}

void write_ranking(JsonWriter& json, const HotLocks& hot, Ranking ranking, std::string_view name,
                   std::string_view what, std::size_t limit) {
    json.key(name).begin_array();
    for (const auto& item : hot.rank(ranking, limit)) {
        json.begin_object()
            .member("lock", item.name)
            .member(what, std::llround(item.at_least))
            .member("at_most", std::llround(item.at_most))
            .end_object();
    }
    json.end_array();
}

}  // namespace

HotLocks::HotLocks(const Clock& clock) : clock_(clock) {}

void HotLocks::note_contentions(const std::vector<storage::Contention>& contentions) {
    const std::lock_guard lock(mutex_);
    open_slot();
    for (const auto& contention : contentions) {
        add(Ranking::Contended, contention.lock, 1);
        const auto waited_ms = contention.waited.count() * 1e3;
        if (waited_ms > 0) add(Ranking::Waited, contention.lock, waited_ms);
    }
}

void HotLocks::note_notices(const std::vector<storage::LockNotice>& notices) {
    const auto is_hot = [](const auto& notice) { return ranking_of(notice).has_value(); };
    if (std::ranges::none_of(notices, is_hot)) return;
    const std::lock_guard lock(mutex_);
    open_slot();
    for (const auto& notice : notices) {
        const auto ranking = ranking_of(notice);
        if (!ranking) continue;
        for (const auto& name : notice.locks) add(*ranking, name, 1);
    }
}

HotLocks::Slot::Slot(std::int64_t number_since_boot)
    : number(number_since_boot),
      rankings{HeavyHitters(kNamesKept), HeavyHitters(kNamesKept), HeavyHitters(kNamesKept),
               HeavyHitters(kNamesKept)} {}

void HotLocks::add(Ranking ranking, const lockmgr::LockName& lock, double weight) {
    now_->rankings[std::to_underlying(ranking)].add(lock.value(), weight);
}

std::int64_t HotLocks::slot_number() const {
    return clock_.boot_now().time_since_epoch() / kSlotLength;
}

void HotLocks::open_slot() {
    const auto number = slot_number();
    auto& slot = slots_[static_cast<std::size_t>(number) % kSlots];
    if (slot == nullptr) slot = std::make_unique<Slot>(number);
    if (slot->number != number) {
        for (auto& ranking : slot->rankings) ranking.clear();
        slot->number = number;
    }
    now_ = slot.get();
}

std::vector<HeavyHitters::Item> HotLocks::rank(Ranking ranking, std::size_t limit) const {
    std::unordered_map<std::string, Sum> sums;
    double floors = 0;
    const auto oldest = slot_number() - static_cast<std::int64_t>(kSlots) + 1;
    for (const auto& slot : slots_) {
        std::vector<HeavyHitters::Item> items;
        double floor = 0;
        {
            const std::lock_guard lock(mutex_);
            if (slot == nullptr || slot->number < oldest) continue;
            const auto& sketch = slot->rankings[std::to_underlying(ranking)];
            items = sketch.items();
            floor = sketch.floor();
        }
        floors += floor;
        for (auto& item : items) {
            auto& sum = sums[std::move(item.name)];
            sum.at_least += item.at_least;
            sum.above_floors += item.at_most - floor;
        }
    }
    std::vector<HeavyHitters::Item> ranked;
    ranked.reserve(sums.size());
    for (const auto& [name, sum] : sums)
        ranked.push_back({name, sum.at_least, sum.above_floors + floors});
    const auto is_hotter = [](const HeavyHitters::Item& left, const HeavyHitters::Item& right) {
        return std::tie(right.at_least, right.at_most, left.name) <
               std::tie(left.at_least, left.at_most, right.name);
    };
    const auto shown = std::min(limit, ranked.size());
    std::ranges::partial_sort(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(shown),
                              is_hotter);
    ranked.resize(shown);
    return ranked;
}

std::string hot_locks_document(const HotLocks& hot, std::string_view longest_held_json,
                               std::size_t limit) {
    std::string text;
    JsonWriter json(text);
    const auto hour = HotLocks::kSlots * std::chrono::seconds(HotLocks::kSlotLength);
    json.begin_object()
        .member("window_seconds", static_cast<std::int64_t>(hour.count()))
        .member_raw("longest_held", longest_held_json);
    write_ranking(json, hot, Ranking::Waited, "most_waited", "waited_ms", limit);
    write_ranking(json, hot, Ranking::Contended, "most_contended", "contended", limit);
    write_ranking(json, hot, Ranking::Expired, "most_expired", "expired", limit);
    write_ranking(json, hot, Ranking::Refused, "most_refused", "refused", limit);
    json.end_object();
    return text;
}

}  // namespace fencegate::proxy
