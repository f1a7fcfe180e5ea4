#include "proxy/gateway/store_news.hpp"

#include <cstdio>

namespace fencegate::proxy {
namespace {

// A disk that is lost as a whole fills no log.
constexpr std::size_t kDamagesToldMax = 100;

}  // namespace

void StoreNews::on_damage(const std::string& what) {
    if (damages_told_.size() == kDamagesToldMax || !damages_told_.insert(what).second) return;
    std::fprintf(stderr,
                 "fencegate: the store is DAMAGED: %s. What needs it is answered 500 "
                 "store_damaged, the rest is served. fencegate verify says what else is; then put "
                 "a backup in its place with fencegate restore.\n",
                 what.c_str());
}

void StoreNews::on_clock(Duration offset) {
    StoreMetrics::on_clock(offset);
    offset_ms_.store(offset.count(), std::memory_order_relaxed);
}

WallTime StoreNews::wall_time(BootTime now) const noexcept {
    return WallTime(std::chrono::floor<Duration>(now.time_since_epoch()) +
                    Duration(offset_ms_.load(std::memory_order_relaxed)));
}

void StoreNews::on_clock_jump(const ClockJump& jump) {
    StoreMetrics::on_clock_jump(jump);
    const std::chrono::duration<double> ahead = jump.shown - jump.expected;
    const auto shown = rfc3339(jump.shown);
    const auto expected = rfc3339(jump.expected);
    if (jump.is_gap) {
        std::fprintf(stderr,
                     "fencegate: the wall clock shows %s, and the last time that the store knows, "
                     "from before the machine was started, is %s: %.0f days earlier. If it was off "
                     "or idle for so long, all is well. If not, set the clock now: until then the "
                     "books go by it. Leases are not affected.\n",
                     shown.text, expected.text, ahead.count() / 86'400);
        return;
    }
    const char* const what = jump.is_believed
                                 ? "the books go by it from now on"
                                 : "the books go on by the boot clock until it has stood for long";
    std::fprintf(stderr,
                 "fencegate: the wall clock was set: it shows %s, %+.3f s from %s, which the boot "
                 "clock expects; %s. Leases are not affected.\n",
                 shown.text, ahead.count(), expected.text, what);
    if (jump.is_believed && on_other_time_) on_other_time_();
}

}  // namespace fencegate::proxy
