#include "base/clock.hpp"

#include <ctime>
#include <fstream>

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

std::string SystemClock::boot_id() const {
    std::string id;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
    return id;
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

namespace {

// Takes exactly `digits` digits from the front; less than zero where they are not there.
int take_digits(std::string_view& text, std::size_t digits) noexcept {
    if (text.size() < digits) return -1;
    int value = 0;
    for (const char digit : text.substr(0, digits)) {
        if (digit < '0' || digit > '9') return -1;
        value = value * 10 + (digit - '0');
    }
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view any_of) noexcept {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

// A fraction of a second in milliseconds, rounded up.
std::optional<int> take_fraction(std::string_view& text) noexcept {
    if (!take(text, ".")) return 0;
    int ms = 0;
    int place = 100;
    bool has_rest = false;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
        const int digit = text.front() - '0';
        ms += digit * place;
        has_rest = has_rest || (place == 0 && digit > 0);
        place /= 10;
        text.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) return std::nullopt;
    return ms + (has_rest ? 1 : 0);
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) noexcept {
    if (take(text, "Zz")) return std::chrono::minutes(0);
    if (text.empty()) return std::nullopt;
    const bool is_west = text.front() == '-';
    if (!take(text, "+-")) return std::nullopt;
    const int hours = take_digits(text, 2);
    if (!take(text, ":")) return std::nullopt;
    const int minutes = take_digits(text, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return std::nullopt;
    return std::chrono::minutes((is_west ? -1 : 1) * (hours * 60 + minutes));
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) noexcept {
    using namespace std::chrono;
    const int y = take_digits(text, 4);
    if (!take(text, "-")) return std::nullopt;
    const int m = take_digits(text, 2);
    if (!take(text, "-")) return std::nullopt;
    const int d = take_digits(text, 2);
    if (y < 0 || m < 0 || d < 0 || !take(text, "Tt")) return std::nullopt;
    const year_month_day date(year(y), month(static_cast<unsigned>(m)),
                              day(static_cast<unsigned>(d)));
    const int hour = take_digits(text, 2);
    if (!take(text, ":")) return std::nullopt;
    const int minute = take_digits(text, 2);
    if (!take(text, ":")) return std::nullopt;
    const int second = take_digits(text, 2);
    const auto fraction = take_fraction(text);
    const auto offset = take_offset(text);
    if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60 || !fraction || !offset || !text.empty())
        return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second) +
           milliseconds(*fraction) - *offset;
}

}  // namespace fencegate
