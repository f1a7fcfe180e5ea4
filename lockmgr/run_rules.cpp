#include "lockmgr/run_rules.hpp"

#include <charconv>
#include <chrono>

namespace fencegate::lockmgr {
namespace {

constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";

bool has_form(std::string_view text) noexcept {
    if (text.size() != kForm.size()) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_digit = text[at] >= '0' && text[at] <= '9';
        if (kForm[at] == 'd' ? !is_digit : text[at] != kForm[at]) return false;
    }
    return true;
}

// REQUIRES: digits.
unsigned number(std::string_view digits) noexcept {
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::optional<WallTime> parse_instant(std::string_view text) noexcept {
    using namespace std::chrono;
    if (!has_form(text)) return std::nullopt;
    const year_month_day date{year(static_cast<int>(number(text.substr(0, 4)))),
                              month(number(text.substr(5, 2))), day(number(text.substr(8, 2)))};
    const auto hour = number(text.substr(11, 2));
    const auto minute = number(text.substr(14, 2));
    const auto second = number(text.substr(17, 2));
    if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    return WallTime(sys_days(date)) + hours(hour) + minutes(minute) + seconds(second);
}

std::unexpected<Error> not_due(const RunSlot& slot, WallTime now) {
    Error error{ErrorCode::RunNotDue,
                "The run's scheduled instant has not come by the gateway's clock. Claim it then.",
                {},
                (slot.instant() - now).count()};
    error.members.push_back({"due_in_ms", (slot.instant() - now).count()});
    return std::unexpected(std::move(error));
}

}  // namespace

std::string_view run_state_name(RunState state) noexcept {
    switch (state) {
        case RunState::Claimed: return "claimed";
        case RunState::Done: return "done";
        case RunState::Failed: return "failed";
        case RunState::Missed: return "missed";
    }
    return "claimed";
}

Result<RunSlot> RunSlot::parse(std::string_view text) {
    const auto instant = parse_instant(text);
    if (!instant)
        return fail(ErrorCode::InvalidArgument,
                    "A slot is the scheduled instant in UTC and whole seconds, like "
                    "2026-11-23T02:00:00Z.");
    return RunSlot(text, *instant);
}

Result<ClaimDecision> decide_claim(std::optional<RunState> state, const RunSlot& slot,
                                   std::optional<Duration> start_within, WallTime now) {
    if (state == RunState::Done)
        return fail(ErrorCode::RunDone, "This run was done before. Done is final.");
    if (state == RunState::Missed)
        return fail(ErrorCode::RunMissed,
                    "This run was first asked for after its grace. Missed is final.");
    if (now < slot.instant()) return not_due(slot, now);
    // Subtracted, because a grace of any length may be asked for and must not overflow.
    const bool is_late = start_within && now - slot.instant() > *start_within;
    return !state && is_late ? ClaimDecision::Miss : ClaimDecision::Claim;
}

}  // namespace fencegate::lockmgr
