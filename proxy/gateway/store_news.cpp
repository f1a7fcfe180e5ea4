#include "proxy/gateway/store_news.hpp"

#include <array>
#include <charconv>
#include <string>

namespace fencegate::proxy {
namespace {

// A disk that is lost as a whole fills no log.
constexpr std::size_t kDamagesToldMax = 100;

std::string decimal(double value, int digits) {
    std::array<char, 32> text{};
    const auto end =
        std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed, digits);
    return {text.begin(), end.ptr};
}

}  // namespace

void StoreNews::on_damage(const std::string& what) {
    if (damages_told_.size() == kDamagesToldMax || !damages_told_.insert(what).second) return;
    log_.error(
        "the store is DAMAGED: " + what +
        ". What needs it is answered 500 store_damaged, the rest is served. fencegate verify "
        "says what else is; then put a backup in its place with fencegate restore.");
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
        log_.warning(std::string("the wall clock shows ") + shown.text +
                     ", and the last time that the store knows, from before the machine was "
                     "started, is " +
                     expected.text + ": " + decimal(ahead.count() / 86'400, 0) +
                     " days earlier. If it was off or idle for so long, all is well. If not, set "
                     "the clock now: until then the books go by it. Leases are not affected.");
        return;
    }
    const char* const what = jump.is_believed
                                 ? "the books go by it from now on"
                                 : "the books go on by the boot clock until it has stood for long";
    const auto* const sign = ahead.count() < 0 ? "" : "+";
    log_.warning(std::string("the wall clock was set: it shows ") + shown.text + ", " + sign +
                 decimal(ahead.count(), 3) + " s from " + expected.text +
                 ", which the boot clock expects; " + what + ". Leases are not affected.");
    if (jump.is_believed && on_other_time_) on_other_time_();
}

}  // namespace fencegate::proxy
