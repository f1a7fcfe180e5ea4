// What is known of a store before its rows are held against each other: what it may have forgotten,
// and whether its clock orders anything.
#include "storage/verify/verify_checks.hpp"

#include <algorithm>
#include <deque>

namespace fencegate::storage {
namespace {

// How far times, in an order in which they should rise, fall back behind the highest before.
class Fall {
public:
    void take(WallTime time) {
        newest_ = std::max(newest_.value_or(time), time);
        deepest_ = std::max(deepest_, *newest_ - time);
    }
    [[nodiscard]] bool is_too_deep() const { return deepest_ > kClockTolerance; }

private:
    std::optional<WallTime> newest_;
    Duration deepest_{0};
};

bool do_leases_fall(RowsToVerify& rows) {
    Fall grants;
    bool is_one_turned = false;  // it ended before it was granted
    auto leases = rows.leases();
    while (const auto* lease = leases.next()) {
        grants.take(lease->granted_at);
        is_one_turned |= lease->ended_at && *lease->ended_at < lease->granted_at - kClockTolerance;
    }
    return is_one_turned || grants.is_too_deep();
}

bool do_answers_fall(RowsToVerify& rows) {
    Fall given;
    auto answers = rows.answers();
    while (const auto* answer = answers.next()) given.take(answer->created_at);
    return given.is_too_deep();
}

bool does_journal_fall(RowsToVerify& rows) {
    bool is_too_deep = false;
    auto turns = rows.turns();
    while (const auto* turn = turns.next())
        is_too_deep |=
            turn->before && turn->booked_at && *turn->booked_at < *turn->before - kClockTolerance;
    return is_too_deep;
}

// The newest hours, as many as answers are kept, and one more.
std::deque<StoredHour> newest_hours(RowsToVerify& rows) {
    std::deque<StoredHour> newest;
    auto hours = rows.hours();
    while (const auto* hour = hours.next()) {
        newest.push_back(*hour);
        while (newest.front().hour < hour->hour - kKeysKept.count()) newest.pop_front();
    }
    return newest;
}

}  // namespace

StoreFacts facts_of(RowsToVerify& rows) {
    const auto totals = rows.totals();
    StoreFacts facts{
        .counter = totals.newest_token, .entries = totals.entries, .kept_hour = -kKeysKept.count()};
    const auto hours = newest_hours(rows);
    if (!hours.empty()) {
        const auto newest = hours.back().hour;
        // A lease is kept for an hour at least; see storage/sqlite/sweeper.hpp.
        const auto last = std::ranges::find(hours, newest - 1, &StoredHour::hour);
        if (last != hours.end()) facts.forgotten = last->last_token;
        facts.kept_hour = newest + 1 - kKeysKept.count();
        // Of the hours before, a store that forgets leases sooner has no row any more.
        facts.kept_after = hours.front().last_token;
    }
    facts.is_clock_unsteady =
        do_leases_fall(rows) || do_answers_fall(rows) || does_journal_fall(rows);
    return facts;
}

std::vector<std::int64_t> turns_of_clock(RowsToVerify& rows) {
    std::vector<std::int64_t> noted;
    auto turns = rows.turns();
    while (const auto* turn = turns.next()) noted.push_back(turn->entry);
    return noted;
}

}  // namespace fencegate::storage
