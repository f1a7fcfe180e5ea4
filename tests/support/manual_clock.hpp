#pragma once
// A clock that moves only when a test says so: boot time forward, wall time wherever it likes.
//
// Thread rule: every member may be called from any thread, on_step() before there is another.
// Errors: none.

#include "base/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace fencegate::testing {

class ManualClock final : public Clock {
public:
    // Boot time starts away from zero: a rule that treats zero as "unset" would hide in it.
    [[nodiscard]] BootTime boot_now() const override {
        return BootTime(std::chrono::nanoseconds(boot_ns_.load()));
    }
    [[nodiscard]] WallTime wall_now() const override {
        return WallTime(std::chrono::milliseconds(wall_ms_.load()));
    }

    // Each clock is a machine of its own.
    [[nodiscard]] std::string boot_id() const override {
        return "boot " + std::to_string(boot_.load());
    }

    // Called after every step of advance(), so that whoever has to look up regularly can.
    void on_step(std::function<void()> look) { look_ = std::move(look); }

    // Both clocks, as time passes, in small steps if somebody looks.
    void advance(Duration span) {
        constexpr Duration kStep{200};
        for (; look_ && span > kStep; span -= kStep) {
            leap(kStep);
            look_();
        }
        leap(span);
    }
    // Both clocks at once: nothing is looked at meanwhile, as when everything hangs.
    void leap(Duration span) {
        boot_ns_ += std::chrono::nanoseconds(span).count();
        wall_ms_ += span.count();
    }
    // The wall clock alone, forward or back: what NTP and operators do.
    void step_wall(Duration span) { wall_ms_ += span.count(); }
    // The machine was off for so long: boot time starts anew.
    void reboot(Duration off) {
        boot_ = next_boot();
        boot_ns_ = kBootNs;
        wall_ms_ += off.count();
    }
    void set_wall(WallTime time) { wall_ms_ = time.time_since_epoch().count(); }

private:
    static constexpr std::int64_t kBootNs = 1'000'000'000'000;
    static std::int64_t next_boot() {
        static std::atomic<std::int64_t> last{0};
        return ++last;
    }

    std::function<void()> look_;
    std::atomic<std::int64_t> boot_{next_boot()};
    std::atomic<std::int64_t> boot_ns_{kBootNs};
    std::atomic<std::int64_t> wall_ms_{1'767'225'600'000};  // 2026-01-01T00:00:00Z
};

}  // namespace fencegate::testing
