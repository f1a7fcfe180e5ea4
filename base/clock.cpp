#include "base/clock.hpp"

#include <ctime>

namespace fencegate {

BootTime SystemClock::boot_now() const {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return BootTime(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

WallTime SystemClock::wall_now() const {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return WallTime(std::chrono::seconds(now.tv_sec) +
                    std::chrono::milliseconds(now.tv_nsec / 1'000'000));
}

namespace {

void put_digits(char* at, unsigned value, int digits) noexcept {
    for (int place = digits - 1; place >= 0; --place) {
        at[place] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

}  // namespace

Rfc3339 rfc3339(WallTime time) noexcept {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);

    Rfc3339 out{"0000-00-00T00:00:00.000Z"};
    put_digits(out.text, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put_digits(out.text + 5, static_cast<unsigned>(date.month()), 2);
    put_digits(out.text + 8, static_cast<unsigned>(date.day()), 2);
    put_digits(out.text + 11, static_cast<unsigned>(clock.hours().count()), 2);
    put_digits(out.text + 14, static_cast<unsigned>(clock.minutes().count()), 2);
    put_digits(out.text + 17, static_cast<unsigned>(clock.seconds().count()), 2);
    put_digits(out.text + 20, static_cast<unsigned>(clock.subseconds().count()), 3);
    return out;
}

}  // namespace fencegate
