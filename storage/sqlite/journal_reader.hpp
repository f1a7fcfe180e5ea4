#pragma once
// JournalReader: the journal read by place, time and payment, one method a question.
// Nothing here reads more rows than its limit says: the store thread answers everybody.
// Thread rule: as its Connection. Errors: the Connection's failure(); a method then finds nothing.

#include "storage/model/reading.hpp"
#include "storage/money/journal.hpp"
#include "storage/sqlite/connection.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

// Ids of entries: `first` and all behind it, up to and without `end`.
struct EntryRange {
    std::int64_t first = 1;
    std::int64_t end = 1;
};

using EntryRanges = std::vector<EntryRange>;  // rising, apart

class JournalReader {
public:
    explicit JournalReader(Connection& connection);

    // The entries booked in this time. By search, not by scan: times rise with the ids, but for the
    // turns of the clock, so there is one range at most between two of them.
    [[nodiscard]] EntryRanges ranges_of(const TimeRange& time);

    // A payment that was created, by the entry that created it.
    struct Creation {
        std::int64_t entry = 0;
        std::string payment_id;
    };
    // In the range, beside `beside`: the nearest `limit` of them, nearest first.
    [[nodiscard]] std::vector<Creation> created_before(std::int64_t beside,
                                                       const EntryRanges& ranges, int limit);
    [[nodiscard]] std::vector<Creation> created_after(std::int64_t beside,
                                                      const EntryRanges& ranges, int limit);
    [[nodiscard]] std::vector<JournalEntry> before(std::int64_t beside, const EntryRanges& ranges,
                                                   int limit);
    [[nodiscard]] std::vector<JournalEntry> after(std::int64_t beside, const EntryRanges& ranges,
                                                  int limit);
    [[nodiscard]] std::optional<JournalEntry> find(std::int64_t id);

    // The newest mark not behind `id`, and what the account came to there; 0 if there is none.
    struct Marked {
        std::int64_t id = 0;
        std::int64_t debits_minor = 0;
        std::int64_t credits_minor = 0;
    };
    [[nodiscard]] Marked marked_until(std::int64_t id, Account account, std::string_view currency);

private:
    // The first of the stretch [begin, end) that is not booked before `time`; else its end.
    [[nodiscard]] std::int64_t first_not_before(WallTime time, EntryRange stretch);
    [[nodiscard]] std::vector<std::int64_t> turns();

    Statement head_;
    Statement booked_at_;
    Statement turns_;
    Statement created_before_;
    Statement created_after_;
    Statement before_;
    Statement after_;
    Statement find_mark_;
    Statement mark_balance_;
};

}  // namespace fencegate::storage::sqlite
