#pragma once
// The parts of verify, one a file. Each reads the store once, in the order that lets it keep
// nothing but the row before, and puts what it finds into its checks.
// Thread rule: as its Connection. Errors: the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/verify/verify.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::storage {

// One check while it runs.
class Check {
public:
    Check(std::string_view name, std::string_view claim) : result_{.name = name, .claim = claim} {}

    void look(std::int64_t count = 1) noexcept { result_.looked_at += count; }
    void fault(std::string what);
    // Looks once; `what` is built only for a fault.
    template <class What>
    void expect(bool holds, What&& what) {
        look();
        if (!holds) fault(std::forward<What>(what)());
    }
    [[nodiscard]] const CheckResult& result() const noexcept { return result_; }

private:
    CheckResult result_;
};

struct Checks {
    Check pages{"pages", "each page carries the seal it was written with, free ones too"};
    Check file{"file", "tables and indexes are whole and agree, as SQLite reads them"};
    Check foreign_keys{"foreign_keys", "no row refers to one that is not there"};
    Check schema{"schema", "tables, indexes, triggers and views are those of this version"};
    Check journal_ids{"journal_ids", "within each epoch entries are numbered from 1 without a gap"};
    Check journal_seals{"journal_seals", "each entry fits its seal and the seal before it"};
    Check journal_times{
        "journal_times",
        "only where a turn of the clock is noted is an entry booked before the last"};
    Check journal_accounts{"journal_accounts", "each entry moves money as its kind does"};
    Check movements{"movements", "a movement is whole: side by side, one payment, one author"};
    Check balances{"balances", "balances are what the entries add up to; debits equal credits"};
    Check marks{"marks", "each mark is what the entries up to it add up to"};
    Check payment_amounts{"payment_amounts",
                          "refunded <= captured <= authorized, as the entries say"};
    Check payment_states{"payment_states", "each payment went through a life it may have"};
    Check payment_chains{"payment_chains",
                         "the entries of each payment are linked, and it ends in "
                         "its newest"};
    Check consumers{"consumers", "no reader of events is beyond the journal"};
    Check references{"references", "each reference names its payment and no other"};
    Check one_effect{"one_effect_a_key", "no idempotency key had two effects while it was kept"};
    Check answers{"answers",
                  "each effect whose key must be kept has its answer, and each answer "
                  "tells of its own effect"};
    Check fence_order{"fence_order", "writes of a payment never went back to an older token"};
    Check fence_leases{
        "fence_leases",
        "each fenced write was made under a lease that guarded it, where that is kept"};
    Check lease_chains{"lease_chains",
                       "the leases of each lock that are kept are linked in order of tokens"};
    Check one_holder{"one_holder_a_lock", "who holds a lock alone is alone and the newest"};
    Check token_counter{"token_counter", "no token is beyond the counter"};
    Check expected_head{"expected_head", "the journal still has the head that was expected"};
};

// What all parts need to know of the store.
struct StoreFacts {
    std::int64_t counter = 0;    // the newest token that was issued
    std::int64_t forgotten = 0;  // leases up to this token may be gone
    std::int64_t transfers = 0;  // roughly; for the progress
    // Answers are kept for a day at least, in hours that the store has run: those given in this
    // hour or later are there. Tokens beyond the second one were granted in such an hour.
    std::int64_t kept_hour = 0;
    std::int64_t kept_after = 0;
    bool is_clock_unsteady = false;  // seen to have been set back so far that it orders nothing
};
constexpr std::int64_t kKeysKeptHours = 24;  // the least that can be set
// Clocks that are set right step by less, as a rule.
constexpr std::int64_t kClockToleranceMs = 600'000;

class Progress {
public:
    Progress(const VerifyOptions& options, std::string_view stage, std::int64_t total)
        : options_(options), at_{stage, 0, total} {}
    void step() {
        constexpr std::int64_t kEvery = 65'536;
        if (++at_.done % kEvery == 0 && options_.on_progress) options_.on_progress(at_);
    }

private:
    const VerifyOptions& options_;
    VerifyProgress at_;
};

void check_pages(sqlite::Connection& connection, const VerifyOptions& options, Checks& checks);
void check_objects(sqlite::Connection& connection, Checks& checks);
void check_journal(sqlite::Connection& connection, const StoreFacts& facts,
                   const VerifyOptions& options, Checks& checks, JournalHead& head);
// Returns the first entry under a key that is seen to be so young that its answer is kept.
std::int64_t check_payments(sqlite::Connection& connection, const StoreFacts& facts,
                            const VerifyOptions& options, Checks& checks);
void check_keys(sqlite::Connection& connection, const StoreFacts& facts, std::int64_t first_kept,
                const VerifyOptions& options, Checks& checks);
void check_kept_answers(sqlite::Connection& connection, const StoreFacts& facts, Checks& checks);
[[nodiscard]] bool is_clock_unsteady(sqlite::Connection& connection);
// The entries that were booked before the one in front of them, as they are noted.
[[nodiscard]] std::vector<std::int64_t> turns_of_clock(sqlite::Connection& connection);
void check_late_writes(sqlite::Connection& connection, const StoreFacts& facts,
                       const VerifyOptions& options, Checks& checks);
void check_leases(sqlite::Connection& connection, const StoreFacts& facts,
                  const VerifyOptions& options, Checks& checks);

// All of it, on a store that is open. The connection must be out of a transaction.
[[nodiscard]] VerifyReport verify_rows(sqlite::Connection& connection,
                                       const VerifyOptions& options = {});

// The numbers of rows, in sentences.
[[nodiscard]] inline std::string nth(std::string_view what, std::int64_t id) {
    return std::string(what) + " " + std::to_string(id);
}
// Sums of a store that somebody changed may exceed 63 bits.
[[nodiscard]] inline std::int64_t wrapping_add(std::int64_t left, std::int64_t right) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                     static_cast<std::uint64_t>(right));
}

}  // namespace fencegate::storage
