#pragma once
// Time as two types that cannot be mixed, and the only seam through which time enters.
//
// BootTime counts suspend (CLOCK_BOOTTIME) and drives leases and timers; WallTime is for people and
// never decides anything. Rules never see a Clock: they take `now` as a parameter.
// Thread rule: SystemClock may be called from any thread. ManualClock lives in tests/support.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate {

using Duration = std::chrono::milliseconds;

struct BootClock {};  // a tag: reading it is Clock's job
using BootTime = std::chrono::time_point<BootClock, std::chrono::nanoseconds>;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual BootTime boot_now() const = 0;
    [[nodiscard]] virtual WallTime wall_now() const = 0;
    // Which run of the machine the boot clock counts; two instants of it can be compared only
    // within one. Empty where that is not known: a boot clock that went back is then another.
    [[nodiscard]] virtual std::string boot_id() const { return {}; }
};

class SystemClock final : public Clock {
public:
    [[nodiscard]] BootTime boot_now() const override;
    [[nodiscard]] WallTime wall_now() const override;
    [[nodiscard]] std::string boot_id() const override;
};

// RFC 3339 in UTC with milliseconds, e.g. 2026-11-23T09:30:00.123Z.
struct Rfc3339 {
    char text[25];  // NUL-terminated
};
[[nodiscard]] Rfc3339 rfc3339(WallTime time) noexcept;

// The first millisecond that is not before what an RFC 3339 text names: 2026-11-23T09:30:00Z, with
// any fraction of a second and any offset. So "not before the text" and "before the text" say the
// same of it and of what is returned, for times in whole milliseconds. Nothing where it names none.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept;

// Whole milliseconds between two instants, never negative.
[[nodiscard]] constexpr std::int64_t ms_between(BootTime from, BootTime to) noexcept {
    const auto span = std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count();
    return span > 0 ? span : 0;
}

}  // namespace fencegate
