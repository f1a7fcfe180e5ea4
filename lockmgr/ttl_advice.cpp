#include "lockmgr/ttl_advice.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace fencegate::lockmgr {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLeasesMin = 100;  // below, a 99th percentile is one lease's bad luck
constexpr double kUsedMax = .7;            // of the TTL, by 99 of 100 holders
constexpr double kUsedByWorstMax = .7;     // of a lower TTL, by all of them
constexpr double kUsedOfLowerMax = .35;    // of a lower TTL, by 99 of 100: lowering wants more room
constexpr std::uint64_t kLowerAtLeastTo = 3;  // times less, or it is not worth a change
constexpr double kExpiredMax = .01;
// A pause of a second is common (a collector, a disk, a neighbour): less is not advised.
constexpr Duration kSuggestedMin = 1s;

constexpr std::array<Duration, 29> kSteps{100ms, 150ms, 200ms, 300ms,  500ms, 750ms, 1s,   1500ms,
                                          2s,    3s,    5s,    7500ms, 10s,   15s,   20s,  30s,
                                          45s,   60s,   90s,   2min,   3min,  5min,  450s, 10min,
                                          15min, 20min, 30min, 45min,  60min};

Duration scaled(Duration span, double by) {
    return Duration(std::llround(static_cast<double>(span.count()) * by));
}

// A number that people choose.
Duration step_at_least(Duration span) {
    const auto step = std::ranges::lower_bound(kSteps, span);
    return step == kSteps.end() ? kSteps.back() : *step;
}

std::string text_of(double number, const char* unit) {
    char text[32];
    const bool is_whole = number >= 10 || std::abs(number - std::round(number)) < .05;
    std::snprintf(text, sizeof text, is_whole ? "%.0f %s" : "%.1f %s", number, unit);
    return text;
}

std::string text_of(Duration span) {
    if (span < 1s) return text_of(static_cast<double>(span.count()), "ms");
    const std::chrono::duration<double> seconds = span;
    if (span < 2min) return text_of(seconds.count(), "s");
    if (span < 2h) return text_of(seconds.count() / 60, "min");
    return text_of(seconds.count() / 3600, "h");
}

// "p99 hold 41 s, TTL 30 s": what is compared with what.
std::string comparison(const TtlFigures& figures) {
    const bool renews = figures.renewals > 0;
    return (renews ? "p99 " : "p99 hold ") + text_of(figures.needed.p99) +
           (renews ? " until renewal or release" : "") + ", TTL " + text_of(figures.ttl);
}

TtlAdvice too_few(const TtlFigures& figures) {
    return {TtlVerdict::TooFewLeases, std::nullopt,
            std::to_string(figures.leases) +
                " leases ended in the window: too few to tell. Ask "
                "again after " +
                std::to_string(kLeasesMin) + "."};
}

TtlAdvice raise(const TtlFigures& figures, const LockClass& klass) {
    const auto wanted = step_at_least(scaled(figures.needed.p99, 1 / kUsedMax));
    const auto suggested = std::min(wanted, klass.ttl_max);
    auto sentence = comparison(figures);
    if (suggested > figures.ttl) sentence += ": raise to " + text_of(suggested);
    if (figures.renewals > 0)
        sentence += suggested > figures.ttl ? ", or renew sooner" : ": renew sooner";
    if (wanted > klass.ttl_max)
        sentence += std::string(suggested > figures.ttl ? ";" : ":") + " ttl_max " +
                    text_of(klass.ttl_max) + " is short of it, so renew while you work";
    return {TtlVerdict::Raise, suggested > figures.ttl ? std::optional(suggested) : std::nullopt,
            sentence + "."};
}

TtlAdvice holders_vanish(const TtlFigures& figures) {
    const auto percent =
        100. * static_cast<double>(figures.expired) / static_cast<double>(figures.leases);
    auto sentence = text_of(percent, "%") + " of the leases expired";
    if (figures.needed.count == 0)
        sentence +=
            " and none of their holders came back: they vanish or do not release, or need "
            "far more than the TTL; how long is not known.";
    else
        sentence += " (" + comparison(figures) +
                    "): their holders vanish or do not release, and a longer TTL would not help.";
    return {TtlVerdict::HoldersVanish, std::nullopt, std::move(sentence)};
}

// The TTL that would do if the present one is several times too long.
std::optional<Duration> lower_ttl(const TtlFigures& figures, const LockClass& klass) {
    const auto room =
        std::max({scaled(figures.needed.p99, 1 / kUsedOfLowerMax),
                  scaled(figures.needed.max, 1 / kUsedByWorstMax), klass.ttl_min, kSuggestedMin});
    const auto suggested = step_at_least(room);
    if (suggested * static_cast<Duration::rep>(kLowerAtLeastTo) > figures.ttl) return std::nullopt;
    return suggested;
}

}  // namespace

std::string_view ttl_verdict_name(TtlVerdict verdict) noexcept {
    switch (verdict) {
        case TtlVerdict::TooFewLeases: return "too_few_leases";
        case TtlVerdict::Raise: return "raise";
        case TtlVerdict::Lower: return "lower";
        case TtlVerdict::HoldersVanish: return "holders_vanish";
        case TtlVerdict::Fine: return "fine";
    }
    return "fine";
}

TtlAdvice advise_ttl(const TtlFigures& figures, const LockClass& klass) {
    if (figures.leases < kLeasesMin) return too_few(figures);
    if (figures.needed.p99 > scaled(figures.ttl, kUsedMax)) return raise(figures, klass);
    const bool many_expire =
        static_cast<double>(figures.expired) > kExpiredMax * static_cast<double>(figures.leases);
    if (many_expire) return holders_vanish(figures);
    if (const auto suggested = lower_ttl(figures, klass))
        return {TtlVerdict::Lower, suggested,
                comparison(figures) + ": " + text_of(*suggested) +
                    " would do. When a holder crashes, who waits waits for the TTL."};
    return {TtlVerdict::Fine, std::nullopt, comparison(figures) + ": fine."};
}

}  // namespace fencegate::lockmgr
