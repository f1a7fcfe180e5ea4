#pragma once
// The rules of verify and their parts, one a file. Each part takes its passes in the order that
// lets it keep nothing but the row before, and puts what it finds into its checks.
// Thread rule: as its rows. Errors: theirs; a part that cannot read on ends.

#include "storage/verify/check.hpp"
#include "storage/verify/rows.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

namespace fencegate::storage {

struct Checks {
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
    std::int64_t entries = 0;    // roughly; for the progress
    // Answers are kept for a day at least, in hours that the store has run: those given in this
    // hour or later are there. Tokens beyond the second one were granted in such an hour.
    std::int64_t kept_hour = 0;
    std::int64_t kept_after = 0;
    bool is_clock_unsteady = false;  // seen to have been set back so far that it orders nothing
};
constexpr std::chrono::hours kKeysKept(24);  // the least that can be set
// Clocks that are set right step by less, as a rule.
constexpr std::chrono::minutes kClockTolerance(10);

// The parts. REQUIRES: facts of the same rows.
[[nodiscard]] StoreFacts facts_of(RowsToVerify& rows);
// The entries that were booked before the one in front of them, as they are noted.
[[nodiscard]] std::vector<std::int64_t> turns_of_clock(RowsToVerify& rows);
void check_journal(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                   Checks& checks, JournalHead& head);
// Returns the first entry under a key that is seen to be so young that its answer is kept.
std::int64_t check_payments(RowsToVerify& rows, const StoreFacts& facts,
                            const VerifyOptions& options, Checks& checks);
void check_late_writes(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                       Checks& checks);
void check_keys(RowsToVerify& rows, const StoreFacts& facts, std::int64_t first_kept,
                const VerifyOptions& options, Checks& checks);
void check_kept_answers(RowsToVerify& rows, const StoreFacts& facts, Checks& checks);
void check_leases(RowsToVerify& rows, const StoreFacts& facts, const VerifyOptions& options,
                  Checks& checks);

// Sums of a store that somebody changed may exceed 63 bits.
[[nodiscard]] inline std::int64_t wrapping_add(std::int64_t left, std::int64_t right) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) +
                                     static_cast<std::uint64_t>(right));
}

}  // namespace fencegate::storage
