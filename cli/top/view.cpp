#include "cli/top/view.hpp"

#include "cli/client/printable.hpp"
#include "cli/top/table.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <tuple>
#include <utility>

namespace fencegate::cli::top {
namespace {

using Entry = const Locks::value_type*;

constexpr std::size_t kNameShortest = 12;
constexpr std::size_t kPartyShortest = 6;
constexpr double kLittleLeft = 0.2;  // of the TTL: from here on a lease is about to run out

bool is_shown(std::string_view lock, const ViewState& state) {
    return lock.starts_with(state.prefix);
}

bool is_shown(const Recent& recent, const ViewState& state) {
    return std::ranges::any_of(recent.what.locks,
                               [&](const auto& lock) { return is_shown(lock, state); });
}

Duration left(const Holder& holder, WallTime now) {
    return std::max(holder.ends_at - now, Duration::zero());
}

double share_left(const Holder& holder, WallTime now) {
    if (holder.ttl <= Duration::zero()) return 1;
    const auto share =
        static_cast<double>(left(holder, now).count()) / static_cast<double>(holder.ttl.count());
    return std::min(share, 1.0);
}

// How long whoever stands first in the line has been there. It was read a moment ago.
std::optional<Duration> longest_wait(const Lock& lock, WallTime now) {
    if (!lock.longest_wait || lock.waiters == 0) return std::nullopt;
    return *lock.longest_wait + std::max(now - lock.line_read_at, Duration::zero());
}

const Holder* oldest(const Lock& lock) {
    return lock.holders.empty() ? nullptr : &lock.holders.front();
}

// Of several holders the one whose lease runs out first.
const Holder* first_to_end(const Lock& lock) {
    const auto found = std::ranges::min_element(lock.holders, {}, &Holder::ends_at);
    return found == lock.holders.end() ? nullptr : &*found;
}

// Small is first.
std::int64_t rank(const Lock& lock, Sort sort, WallTime now) {
    constexpr auto kLast = std::numeric_limits<std::int64_t>::max();
    const auto* holder = sort == Sort::Left ? first_to_end(lock) : oldest(lock);
    switch (sort) {
        case Sort::Waiting: return -static_cast<std::int64_t>(lock.waiters);
        case Sort::Left: return holder != nullptr ? left(*holder, now).count() : kLast;
        case Sort::Held:
            return holder != nullptr ? holder->granted_at.time_since_epoch().count() : kLast;
        case Sort::Name: return 0;
    }
    return 0;
}

std::vector<Entry> sorted(const Model& model, const ViewState& state, WallTime now) {
    std::vector<Entry> entries;
    for (const auto& entry : model.locks()) {
        if (is_shown(entry.first, state)) entries.push_back(&entry);
    }
    const auto key = [&](Entry entry) {
        // Among equals those that were held longest come first, else it is the name that decides.
        const bool is_by_waiters = state.sort == Sort::Waiting;
        return std::tuple(rank(entry->second, state.sort, now),
                          is_by_waiters ? rank(entry->second, Sort::Held, now) : 0,
                          std::string_view(entry->first));
    };
    std::ranges::sort(entries, {}, key);
    return entries;
}

std::string party(const std::string& text) { return text.empty() ? "-" : printable(text); }

std::string names_of(const std::vector<std::string>& locks) {
    if (locks.empty()) return "-";
    auto name = printable(locks.front());
    if (locks.size() > 1) name += " +" + std::to_string(locks.size() - 1);
    return name;
}

// The time of day, in UTC.
std::string clock_text(WallTime time) { return std::string(rfc3339(time).text).substr(11, 8); }

std::string percent(double share) { return std::to_string(std::lround(share * 100.0)) + "%"; }

std::vector<std::string> cells_of(const Locks::value_type& entry, WallTime now) {
    const auto& lock = entry.second;
    const auto* holder = oldest(lock);
    const auto* ending = first_to_end(lock);
    const auto others = lock.holders.size() + lock.holders_unseen - (holder != nullptr ? 1 : 0);
    auto owner = holder != nullptr ? party(holder->owner) : "-";
    if (others > 0) owner += " +" + std::to_string(others);
    const auto wait = longest_wait(lock, now);
    return {printable(entry.first),
            std::move(owner),
            holder != nullptr ? party(holder->principal) : "-",
            holder != nullptr ? std::to_string(holder->token) : "-",
            holder != nullptr ? spelt(now - holder->granted_at) : "-",
            ending != nullptr ? spelt(left(*ending, now)) : "-",
            ending != nullptr ? percent(share_left(*ending, now)) : "-",
            std::to_string(lock.waiters),
            wait ? spelt(*wait) : "-"};
}

void append(std::vector<Line>& picture, const Table& table, const ViewState& state) {
    for (auto& line : table.lines(state.width)) picture.push_back({std::move(line)});
}

void append_locks(std::vector<Line>& picture, const std::vector<Entry>& entries,
                  const ViewState& state, std::size_t rows, WallTime now) {
    Table table({{"LOCK", false, kNameShortest, 9},
                 {"OWNER", false, kPartyShortest, 7},
                 {"PRINCIPAL", false, kPartyShortest, 1},
                 {"TOKEN", true, 0, 3},
                 {"HELD", true, 0, 5},
                 {"LEFT", true, 0, 8},
                 {"OF TTL", true, 0, 0},
                 {"WAITING", true, 0, 6},
                 {"LONGEST", true, 0, 4}});
    const auto first = std::min(state.scroll, entries.size() - std::min(rows, entries.size()));
    const auto end = std::min(entries.size(), first + rows);
    for (auto at = first; at < end; ++at) table.add(cells_of(*entries[at], now));
    const auto heading = picture.size();
    append(picture, table, state);
    picture[heading].tone = Tone::Heading;
    for (auto at = first; at < end; ++at) {
        const auto* ending = first_to_end(entries[at]->second);
        const bool is_ending = ending != nullptr && share_left(*ending, now) < kLittleLeft;
        if (is_ending) picture[heading + 1 + at - first].tone = Tone::Warning;
    }
}

Table ended_table(const std::vector<const Recent*>& recents) {
    Table table({{"EXPIRED OR BROKEN", false, 0, 8},
                 {"LOCK", false, kNameShortest, 9},
                 {"OWNER", false, kPartyShortest, 7},
                 {"PRINCIPAL", false, kPartyShortest, 1},
                 {"TOKEN", true, 0, 3},
                 {"HELD", true, 0, 5},
                 {"REASON", false, kPartyShortest, 2}});
    for (const auto* recent : recents) {
        const auto& event = recent->what;
        const bool is_break = event.ending == lockmgr::LeaseEnding::Broken;
        table.add({clock_text(event.at).append(" ").append(lease_ending_name(event.ending)),
                   names_of(event.locks), party(event.owner), party(event.principal),
                   std::to_string(event.token), recent->held ? spelt(*recent->held) : "-",
                   is_break ? party(event.reason) : "-"});
    }
    return table;
}

Table refused_table(const std::vector<const Recent*>& recents) {
    Table table({{"REFUSED", false, 0, 6},
                 {"LOCK", false, kNameShortest, 9},
                 {"OWNER", false, kPartyShortest, 4},
                 {"PRINCIPAL", false, kPartyShortest, 3},
                 {"TOKEN", true, 0, 5},
                 {"WHY", false, kPartyShortest, 8},
                 {"LATE", true, 0, 7},
                 {"CURRENT", true, 0, 1}});
    for (const auto* recent : recents) {
        const auto& event = recent->what;
        table.add({clock_text(event.at), names_of(event.locks), party(recent->owner),
                   party(event.principal), std::to_string(event.token), party(event.code),
                   spelt(event.late),
                   event.current_token > 0 ? std::to_string(event.current_token) : "-"});
    }
    return table;
}

void append_recents(std::vector<Line>& picture, const std::deque<Recent>& recents,
                    const ViewState& state, std::size_t rows,
                    Table (*table_of)(const std::vector<const Recent*>&), Tone tone) {
    std::vector<const Recent*> shown;
    for (const auto& recent : recents) {
        if (shown.size() < rows && is_shown(recent, state)) shown.push_back(&recent);
    }
    const auto heading = picture.size();
    append(picture, table_of(shown), state);
    picture[heading].tone = Tone::Heading;
    if (shown.empty()) picture.push_back({"none", Tone::Faint});
    for (auto at = heading + 1; at < picture.size() && !shown.empty(); ++at)
        picture[at].tone = tone;
}

std::string link_text(const Model& model) {
    const auto& link = model.link();
    const auto words = link.words.empty() ? "" : ": " + printable(link.words);
    switch (link.state) {
        case LinkState::Connecting: return "connecting";
        case LinkState::Live:
            return model.is_complete() ? "live" + words : "live, reading the locks";
        case LinkState::Draining: return "the gateway is draining";
        case LinkState::Lost: return "disconnected, retrying" + words;
    }
    return {};
}

std::string counts_text(const std::vector<Entry>& entries, const Model& model, WallTime now) {
    std::size_t held = 0;
    std::size_t waiting = 0;
    std::size_t with_line = 0;
    std::optional<Duration> longest;
    for (const auto* entry : entries) {
        held += entry->second.holders.size() + entry->second.holders_unseen > 0 ? 1 : 0;
        waiting += entry->second.waiters;
        with_line += entry->second.waiters > 0 ? 1 : 0;
        longest = std::max(longest, longest_wait(entry->second, now));
    }
    auto text = "locks held: " + std::to_string(held) + (model.has_more_locks() ? " or more" : "") +
                ", waiting: " + std::to_string(waiting);
    if (with_line > 0) text += " for " + std::to_string(with_line);
    if (with_line > 0) text += with_line == 1 ? " lock" : " locks";
    if (longest) text += ", the longest for " + spelt(*longest);
    return text;
}

// Three characters up to 999, so that the line of all rates has room in 80 columns.
std::string rate_text(double rate) {
    const bool is_thousands = rate >= 999.5;
    const double shown = is_thousands ? rate / 1e3 : rate;
    char text[32];
    std::snprintf(text, sizeof text, "%.*f%s", rate < 9.95 ? 1 : 0, shown, is_thousands ? "k" : "");
    return text;
}

// Trouble first: what is cut off at the right is the usual.
std::string rates_text(const Model& model, WallTime now) {
    using lockmgr::LeaseEnding;
    std::string text = "/s:";
    const auto show = [&](auto what, std::string_view name) {
        text.append(text.back() == ':' ? " " : ", ").append(name).append(" ");
        text.append(rate_text(model.per_second(what, now)));
    };
    const auto show_ending = [&](LeaseEnding ending) { show(ending, lease_ending_name(ending)); };
    show(Kind::Refused, "refused");
    show_ending(LeaseEnding::Expired);
    show_ending(LeaseEnding::Broken);
    show(Kind::Granted, "granted");
    show(Kind::Renewed, "renewed");
    show_ending(LeaseEnding::Released);
    return text;
}

std::string bottom_text(const ViewState& state) {
    if (state.editing) return "prefix: " + printable(*state.editing) + "_  (Enter, Esc)";
    return "q quit  s sort: " + std::string(kSortNames[std::to_underlying(state.sort)]) +
           "  / prefix" + (state.prefix.empty() ? "" : ": " + printable(state.prefix)) + "  p " +
           (state.is_paused ? "PAUSED" : "pause") + "  arrows scroll";
}

constexpr std::size_t kAboveLocks = 4;  // three lines and the heading

struct Rows {
    std::size_t locks = 0;
    std::size_t recents = 0;  // of each list; 0: neither list is there
};

Rows rows_for(const ViewState& state) {
    if (state.height == 0) return {kLocksMax, kRecentMax};
    constexpr std::size_t kFrame = kAboveLocks + 1;  // and the keys
    constexpr std::size_t kLeastForRecents = 9;      // else the locks need all the room
    const auto room = state.height - std::min(state.height, kFrame);
    if (room < kLeastForRecents) return {room, 0};
    const auto recents = std::max<std::size_t>(1, room / 5);
    return {room - 2 * (recents + 1), recents};
}

}  // namespace

std::vector<Line> render(const Model& model, const ViewState& state, WallTime now) {
    if (model.link().state == LinkState::Lost) now = std::min(now, model.link_since());
    const auto entries = sorted(model, state, now);
    const auto rows = rows_for(state);
    const bool is_bounded = state.height > 0;
    std::vector<Line> picture;
    picture.push_back({"fencegate top  " + clock_text(now) + " UTC  " + link_text(model) + "  " +
                           printable(state.url),
                       model.link().state == LinkState::Live ? Tone::Bar : Tone::Alarm});
    picture.push_back({counts_text(entries, model, now)});
    picture.push_back({rates_text(model, now)});
    append_locks(picture, entries, state, rows.locks, now);
    // In a window the lists keep their places; on paper a blank line stands between them.
    if (rows.recents > 0) {
        picture.resize(is_bounded ? kAboveLocks + rows.locks : picture.size() + 1);
        append_recents(picture, model.ended(), state, rows.recents, ended_table, Tone::Plain);
        picture.resize(is_bounded ? kAboveLocks + rows.locks + 1 + rows.recents
                                  : picture.size() + 1);
        append_recents(picture, model.refused(), state, rows.recents, refused_table, Tone::Alarm);
    }
    if (is_bounded) picture.resize(state.height);
    if (state.has_keys && state.height > kAboveLocks)
        picture.back() = {bottom_text(state), Tone::Faint};
    for (auto& line : picture) {
        if (state.width > 0 && line.text.size() > state.width) line.text.resize(state.width);
    }
    return picture;
}

}  // namespace fencegate::cli::top
