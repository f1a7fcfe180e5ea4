#pragma once
// Reading: what all readers of the journal ask by: a time range, a place, a direction.
// Places are ids of entries, which never change, so a page that was read stays what it was however
// much is booked meanwhile.
// Thread rule: plain values.

#include "base/clock.hpp"
#include "storage/money/journal.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

// Half open: `from` is in it, `to` is not.
struct TimeRange {
    std::optional<WallTime> from{};
    std::optional<WallTime> to{};
};

// Where a page of a list that shows the newest first begins: at the newest, or beside an entry that
// is itself not in it.
struct Place {
    enum class Side : std::uint8_t { Newest, Older, Newer };
    Side side = Side::Newest;
    std::int64_t entry = 0;
};

// One less than fits, so that the entry behind it can be named.
inline constexpr std::int64_t kEntryMax = std::numeric_limits<std::int64_t>::max() - 1;

// As text, for clients to send back as they got it. Nothing if it is not what place_text() writes.
[[nodiscard]] std::string place_text(const Place& place);
[[nodiscard]] std::optional<Place> parse_place(std::string_view text) noexcept;

// Ids of entries: `first` and all behind it, up to and without `end`.
struct EntryRange {
    std::int64_t first = 1;
    std::int64_t end = 1;
};

using EntryRanges = std::vector<EntryRange>;  // rising, apart

// A stretch of the journal that a statement reads, from `next` up to and without `end`.
struct StatementStep {
    enum class Does : std::uint8_t { Add, TakeOff, Tell };  // the first two: to the opening balance
    Does does = Does::Tell;
    std::int64_t next = 0;
    std::int64_t end = 0;
};

// How far the reader of a statement has come: the steps that are left, the opening balance first.
// Planned with the first page, which so fixes its two ends.
struct StatementPlace {
    std::vector<StatementStep> steps{};
};

// Some of a statement. Entries booked before the range are only added up; so the reader adds
// `opening` of every page to what it has, until `is_open`.
struct StatementPage {
    StatementPlace place;
    std::int64_t opening_debits_minor = 0;
    std::int64_t opening_credits_minor = 0;
    bool is_open = false;                 // the opening balance is complete
    bool is_last = false;                 // nothing comes behind `entries`
    std::vector<JournalEntry> entries{};  // of the account and the currency, in order
};

}  // namespace fencegate::storage
