#pragma once
// EntryRows: the journal read by place, time and payment, one method a question.
// Thread rule: as its Connection. Errors: the Connection's failure(); a method then finds nothing.

#include "storage/sqlite/connection.hpp"
#include "storage/unit/readers.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

class EntryRows final : public storage::EntryReader {
public:
    explicit EntryRows(Connection& connection);

    // Times rise with the ids, but for the turns of the clock, so there is one range at most
    // between two of them.
    [[nodiscard]] EntryRanges ranges_of(const TimeRange& time) override;
    [[nodiscard]] std::vector<Creation> created_before(std::int64_t beside,
                                                       const EntryRanges& ranges,
                                                       int limit) override;
    [[nodiscard]] std::vector<Creation> created_after(std::int64_t beside,
                                                      const EntryRanges& ranges,
                                                      int limit) override;
    [[nodiscard]] std::vector<JournalEntry> before(std::int64_t beside, const EntryRanges& ranges,
                                                   int limit) override;
    [[nodiscard]] std::vector<JournalEntry> after(std::int64_t beside, const EntryRanges& ranges,
                                                  int limit) override;
    [[nodiscard]] std::optional<JournalEntry> find(std::int64_t id) override;
    [[nodiscard]] Marked marked_until(std::int64_t id, Account account,
                                      std::string_view currency) override;

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
