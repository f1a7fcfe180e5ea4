#include "storage/sqlite/entry_rows.hpp"

#include "storage/sqlite/journal_rows.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

std::string entries_where(const char* condition) {
    return std::string("SELECT ") + kEntryColumns + " FROM transfers WHERE " + condition;
}

std::vector<JournalEntry> all_of(Statement::Row row) {
    std::vector<JournalEntry> entries;
    while (row.next()) entries.push_back(entry_of(row));
    return entries;
}

std::vector<EntryRows::Creation> creations_of(Statement::Row row) {
    std::vector<EntryRows::Creation> creations;
    while (row.next()) creations.push_back({row.integer(0), std::string(row.text(1))});
    return creations;
}

// Range after range until there are `limit` rows; `read` reads some of one.
template <class Range, class Cut, class Read>
auto read_through(const Range& ranges, int limit, Cut cut, Read read) {
    decltype(read(EntryRange{}, limit)) rows;
    for (const auto& range : ranges) {
        const EntryRange part = cut(range);
        const int left = limit - static_cast<int>(rows.size());
        if (part.first >= part.end) continue;
        if (left <= 0) break;
        std::ranges::move(read(part, left), std::back_inserter(rows));
    }
    return rows;
}

template <class Read>
auto read_down(const EntryRanges& ranges, std::int64_t beside, int limit, Read read) {
    const auto cut = [&](const EntryRange& range) {
        return EntryRange{range.first, std::min(beside, range.end)};
    };
    return read_through(std::views::reverse(ranges), limit, cut, read);
}

template <class Read>
auto read_up(const EntryRanges& ranges, std::int64_t beside, int limit, Read read) {
    const auto cut = [&](const EntryRange& range) {
        return EntryRange{std::max(beside + 1, range.first), range.end};
    };
    return read_through(ranges, limit, cut, read);
}

}  // namespace

// INDEXED BY: the table's own order would do too, and reads all that happened in between.
EntryRows::EntryRows(Connection& connection)
    : head_(connection, "SELECT coalesce(max(id), 0) FROM transfers"),
      booked_at_(connection,
                 "SELECT id, created_at_ms FROM transfers WHERE id >= ? ORDER BY id LIMIT 1"),
      turns_(connection, "SELECT transfer_id FROM clock_turns ORDER BY transfer_id"),
      created_before_(connection,
                      "SELECT id, payment_id FROM transfers INDEXED BY created_payments "
                      "WHERE kind = 0 AND id < ? AND id >= ? ORDER BY id DESC LIMIT ?"),
      created_after_(connection,
                     "SELECT id, payment_id FROM transfers INDEXED BY created_payments "
                     "WHERE kind = 0 AND id >= ? AND id < ? ORDER BY id LIMIT ?"),
      before_(connection, entries_where("id < ? AND id >= ? ORDER BY id DESC LIMIT ?").c_str()),
      after_(connection, entries_where("id >= ? AND id < ? ORDER BY id LIMIT ?").c_str()),
      find_mark_(connection,
                 "SELECT transfer_id FROM marks WHERE transfer_id <= ? "
                 "ORDER BY transfer_id DESC LIMIT 1"),
      mark_balance_(connection,
                    "SELECT debits, credits FROM mark_balances "
                    "WHERE transfer_id = ? AND currency = ? AND account = ?") {}

EntryRanges EntryRows::ranges_of(const TimeRange& time) {
    EntryRange whole;
    {
        auto row = head_.query();
        if (row.next()) whole.end = row.integer(0) + 1;
    }
    if (!time.from && !time.to) return {whole};
    auto ends = turns();
    ends.push_back(whole.end);
    EntryRanges ranges;
    EntryRange stretch;
    for (const auto end : ends) {
        stretch.end = end;
        EntryRange found = stretch;
        if (time.to) found.end = first_not_before(*time.to, stretch);
        if (time.from) found.first = first_not_before(*time.from, {stretch.first, found.end});
        stretch.first = end;
        if (found.first >= found.end) continue;
        if (!ranges.empty() && ranges.back().end == found.first) {
            ranges.back().end = found.end;
        } else {
            ranges.push_back(found);
        }
    }
    return ranges;
}

std::vector<std::int64_t> EntryRows::turns() {
    std::vector<std::int64_t> turns;
    auto row = turns_.query();
    while (row.next()) turns.push_back(row.integer(0));
    return turns;
}

std::int64_t EntryRows::first_not_before(WallTime time, EntryRange stretch) {
    auto low = stretch.first;  // all below are before `time`
    auto high = stretch.end;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        auto row = booked_at_.query(middle);
        const bool is_inside = row.next() && row.integer(0) < stretch.end;
        if (is_inside && row.integer(1) < time.time_since_epoch().count()) {
            low = row.integer(0) + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

std::vector<EntryRows::Creation> EntryRows::created_before(std::int64_t beside,
                                                           const EntryRanges& ranges, int limit) {
    return read_down(ranges, beside, limit, [&](const EntryRange& range, int left) {
        return creations_of(created_before_.query(range.end, range.first, left));
    });
}

std::vector<EntryRows::Creation> EntryRows::created_after(std::int64_t beside,
                                                          const EntryRanges& ranges, int limit) {
    return read_up(ranges, beside, limit, [&](const EntryRange& range, int left) {
        return creations_of(created_after_.query(range.first, range.end, left));
    });
}

std::vector<JournalEntry> EntryRows::before(std::int64_t beside, const EntryRanges& ranges,
                                            int limit) {
    return read_down(ranges, beside, limit, [&](const EntryRange& range, int left) {
        return all_of(before_.query(range.end, range.first, left));
    });
}

std::vector<JournalEntry> EntryRows::after(std::int64_t beside, const EntryRanges& ranges,
                                           int limit) {
    return read_up(ranges, beside, limit, [&](const EntryRange& range, int left) {
        return all_of(after_.query(range.first, range.end, left));
    });
}

std::optional<JournalEntry> EntryRows::find(std::int64_t id) {
    auto row = after_.query(id, id + 1, 1);
    if (!row.next()) return std::nullopt;
    return entry_of(row);
}

EntryRows::Marked EntryRows::marked_until(std::int64_t id, Account account,
                                          std::string_view currency) {
    Marked marked;
    {
        auto row = find_mark_.query(id);
        if (!row.next()) return marked;
        marked.id = row.integer(0);
    }
    auto row = mark_balance_.query(marked.id, currency, static_cast<std::int64_t>(account));
    if (row.next()) {
        marked.debits_minor = row.integer(0);
        marked.credits_minor = row.integer(1);
    }
    return marked;
}

}  // namespace fencegate::storage::sqlite
