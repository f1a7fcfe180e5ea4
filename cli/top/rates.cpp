#include "cli/top/rates.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::cli::top {
namespace {

using Tenths = std::chrono::duration<std::int64_t, std::deci>;
constexpr std::int64_t kWindowTenths = 100;

std::int64_t tenth_of(WallTime time) {
    return std::chrono::floor<Tenths>(time.time_since_epoch()).count();
}

}  // namespace

void Rates::add(const Happening& event) {
    const auto tenth = std::max<std::int64_t>(tenth_of(event.at), 0);
    auto& bucket = buckets_[static_cast<std::size_t>(tenth) % kTenths];
    if (tenth < bucket.tenth) return;  // older than what is kept
    if (tenth > bucket.tenth) bucket = {.tenth = tenth};
    ++bucket.kinds[std::to_underlying(event.kind)];
    if (event.kind == Kind::Ended) ++bucket.endings[std::to_underlying(event.ending)];
}

template <class CountOf>
double Rates::rate(CountOf count_of, WallTime now, WallTime covered_since) const {
    const auto last = tenth_of(now);
    std::uint64_t count = 0;
    for (const auto& bucket : buckets_) {
        // What is said to lie ahead by a clock that differs a little has happened.
        if (bucket.tenth > last - kWindowTenths) count += count_of(bucket);
    }
    const auto covered =
        std::clamp<std::int64_t>(last - tenth_of(covered_since), 10, kWindowTenths);
    return static_cast<double>(count) * 10.0 / static_cast<double>(covered);
}

double Rates::per_second(Kind kind, WallTime now, WallTime covered_since) const {
    return rate([kind](const Bucket& bucket) { return bucket.kinds[std::to_underlying(kind)]; },
                now, covered_since);
}

double Rates::per_second(lockmgr::LeaseEnding ending, WallTime now, WallTime covered_since) const {
    return rate(
        [ending](const Bucket& bucket) { return bucket.endings[std::to_underlying(ending)]; }, now,
        covered_since);
}

}  // namespace fencegate::cli::top
