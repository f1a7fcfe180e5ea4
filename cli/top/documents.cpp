#include "cli/top/documents.hpp"

#include "base/start_failure.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace fencegate::cli::top {
namespace {

using lockmgr::LeaseEnding;
namespace json = boost::json;

std::unexpected<Error> no_document(std::string_view what) {
    return fail_start(StartFailure::Unavailable,
                      std::string("what answers is no gateway: it sent ").append(what));
}

std::string_view view_of(const json::string& text) { return {text.data(), text.size()}; }

std::string text(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* found = value != nullptr ? value->if_string() : nullptr;
    return found != nullptr ? std::string(view_of(*found)) : std::string();
}

std::int64_t number(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    const auto* found = value != nullptr ? value->if_int64() : nullptr;
    return found != nullptr ? *found : 0;
}

// Milliseconds; bounded, so that adding it to a time cannot overflow.
Duration duration(const json::object& object, std::string_view name) {
    constexpr std::int64_t kMsMax = std::int64_t{1'000} * 60 * 60 * 24 * 36'500;
    return Duration(std::clamp<std::int64_t>(number(object, name), 0, kMsMax));
}

std::size_t count(const json::object& object, std::string_view name) {
    return static_cast<std::size_t>(std::max<std::int64_t>(number(object, name), 0));
}

WallTime time(const json::object& object, std::string_view name) {
    return parse_rfc3339(text(object, name)).value_or(WallTime{});
}

std::vector<std::string> texts(const json::object& object, std::string_view name) {
    std::vector<std::string> found;
    const auto* value = object.if_contains(name);
    const auto* array = value != nullptr ? value->if_array() : nullptr;
    if (array == nullptr) return found;
    for (const auto& item : *array) {
        if (const auto* entry = item.if_string()) found.emplace_back(view_of(*entry));
    }
    return found;
}

std::optional<json::object> parse_object(std::string_view body) {
    json::error_code ec;
    auto document = json::parse(body, ec);
    if (ec || !document.is_object()) return std::nullopt;
    return std::move(document.get_object());
}

HolderReading holder_of(const json::object& object) {
    return {.token = number(object, "fencing_token"),
            .principal = text(object, "principal"),
            .owner = text(object, "owner"),
            .ttl = duration(object, "ttl_ms"),
            .remaining = duration(object, "remaining_ms"),
            .granted_at = time(object, "granted_at")};
}

// The objects of a list, or of a member that stands for a list of one.
template <class Use>
void each_object(const json::object& object, std::string_view name, Use use) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return;
    if (const auto* one = value->if_object()) return use(*one);
    const auto* array = value->if_array();
    if (array == nullptr) return;
    for (const auto& item : *array) {
        if (const auto* entry = item.if_object()) use(*entry);
    }
}

LockReading lock_of(const json::object& object) {
    LockReading reading{.lock = text(object, "lock"),
                        .holder_count = count(object, "holder_count"),
                        .waiters = count(object, "waiters")};
    const auto* holders = object.contains("holders") ? "holders" : "holder";
    each_object(object, holders, [&reading](const json::object& holder) {
        reading.holders.push_back(holder_of(holder));
    });
    reading.holder_count = std::max(reading.holder_count, reading.holders.size());
    each_object(object, "line", [&reading](const json::object& waiter) {
        reading.longest_wait = std::max(reading.longest_wait.value_or(Duration::zero()),
                                        duration(waiter, "waited_ms"));
    });
    return reading;
}

// Digits at a fixed place of a fixed form.
int digits(std::string_view text, std::size_t from, std::size_t size) {
    int value = -1;
    const auto* begin = text.data() + from;
    const auto [at, ec] = std::from_chars(begin, begin + size, value);
    return ec == std::errc{} && at == begin + size ? value : -1;
}

struct Day {
    int year = 0;
    int month = 0;
    int day = 0;
};

// `clock` is "09:30:00".
// The events of the stream that `top` shows.
struct KnownEvent {
    std::string_view name;
    Kind kind;
    lockmgr::LeaseEnding ending{};
};
constexpr std::array kEvents{
    KnownEvent{"granted", Kind::Granted},
    KnownEvent{"renewed", Kind::Renewed},
    KnownEvent{"released", Kind::Ended, LeaseEnding::Released},
    KnownEvent{"expired", Kind::Ended, LeaseEnding::Expired},
    KnownEvent{"broken", Kind::Ended, LeaseEnding::Broken},
    KnownEvent{"refused", Kind::Refused},
};

std::optional<WallTime> time_of(Day day, std::string_view clock) {
    const auto date = std::chrono::year_month_day{
        std::chrono::year(day.year), std::chrono::month(static_cast<unsigned>(day.month)),
        std::chrono::day(static_cast<unsigned>(day.day))};
    const int hour = digits(clock, 0, 2);
    const int minute = digits(clock, 3, 2);
    const int second = digits(clock, 6, 2);
    if (!date.ok() || hour < 0 || minute < 0 || second < 0) return std::nullopt;
    return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
           std::chrono::minutes(minute) + std::chrono::seconds(second);
}

}  // namespace

Result<std::optional<Happening>> parse_happening(std::string_view event, std::string_view data) {
    const auto known = std::ranges::find(kEvents, event, &KnownEvent::name);
    if (known == kEvents.end()) return std::nullopt;
    const auto object = parse_object(data);
    if (!object) return no_document("an event without its JSON");
    return Happening{.kind = known->kind,
                     .ending = known->ending,
                     .locks = texts(*object, "locks"),
                     .token = number(*object, "fencing_token"),
                     .principal = text(*object, "principal"),
                     .owner = text(*object, "owner"),
                     .ttl = duration(*object, "ttl_ms"),
                     .at = time(*object, "at"),
                     .code = text(*object, "code"),
                     .reason = text(*object, "reason"),
                     .late = duration(*object, "late_ms"),
                     .current_token = number(*object, "current_token")};
}

Result<LockPage> parse_lock_page(std::string_view body, std::string_view after) {
    const auto object = parse_object(body);
    if (!object || !object->contains("data")) return no_document("a list without its JSON");
    LockPage page{.after = std::string(after)};
    each_object(*object, "data",
                [&page](const json::object& lock) { page.locks.push_back(lock_of(lock)); });
    if (auto cursor = text(*object, "next_cursor"); !cursor.empty()) page.until = std::move(cursor);
    return page;
}

Result<LockReading> parse_lock(std::string_view body) {
    const auto object = parse_object(body);
    if (!object || !object->contains("lock")) return no_document("a lock without its JSON");
    return lock_of(*object);
}

std::string text_member(std::string_view body, std::string_view name) {
    const auto object = parse_object(body);
    return object ? text(*object, name) : std::string();
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    constexpr std::string_view kForm = "2026-11-23T09:30:00.123Z";
    if (text.size() != kForm.size() || text[10] != 'T' || text[19] != '.') return std::nullopt;
    const auto seconds =
        time_of({digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)}, text.substr(11, 8));
    const int ms = digits(text, 20, 3);
    if (!seconds || ms < 0) return std::nullopt;
    return *seconds + std::chrono::milliseconds(ms);
}

std::optional<WallTime> parse_http_date(std::string_view text) {
    constexpr std::string_view kForm = "Mon, 23 Nov 2026 09:30:00 GMT";
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != kForm.size() || !text.ends_with(" GMT")) return std::nullopt;
    const auto month = kMonths.find(text.substr(8, 3));
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    return time_of({digits(text, 12, 4), static_cast<int>(month / 3) + 1, digits(text, 5, 2)},
                   text.substr(17, 8));
}

}  // namespace fencegate::cli::top
