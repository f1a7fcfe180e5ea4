#pragma once
// Readers: what an engine is asked, one class a table and one method a question; nothing that
// decides is behind them. What a batch changes goes the other way, as one Changes (changes.hpp).
// Everything is read as this transaction leaves it: with what Store::write() was given, without
// what a unit has yet to hand over. After the first failure of the store (store.hpp) nothing is
// found, and what was decided on that never commits.
// Thread rule: belongs to the store thread. Call only within a transaction.

#include "lockmgr/lease.hpp"
#include "storage/model/consumer.hpp"
#include "storage/model/reading.hpp"
#include "storage/model/refused_write.hpp"
#include "storage/model/run.hpp"
#include "storage/model/stamp.hpp"
#include "storage/model/stored_answer.hpp"
#include "storage/money/ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

// The lease of a lock that was granted last.
struct ChainHead {
    std::optional<lockmgr::FencingToken> token;  // nullopt: the lock was never granted, or long ago
    lockmgr::LeaseState state{};                 // Released where the lease is no longer kept
    lockmgr::LockMode mode{};
};

// Leases, the chain of each lock from its newest lease on, and the counter of tokens.
class LeaseReader {
public:
    using Token = lockmgr::FencingToken;
    virtual ~LeaseReader() = default;

    // nullopt: the store does not answer.
    [[nodiscard]] virtual std::optional<lockmgr::TokenCounter> counter() = 0;

    [[nodiscard]] virtual std::optional<lockmgr::Lease> find(Token token) = 0;
    [[nodiscard]] virtual std::string break_reason(Token token) = 0;

    [[nodiscard]] virtual ChainHead head(const lockmgr::LockName& lock) = 0;
    // The lease of the lock before that one.
    [[nodiscard]] virtual std::optional<Token> before(Token token,
                                                      const lockmgr::LockName& lock) = 0;

    [[nodiscard]] virtual std::vector<lockmgr::Lease> all_live() = 0;
    // In the order of their grants.
    [[nodiscard]] virtual std::vector<lockmgr::Lease> oldest_live(int limit) = 0;
    // Names that were ever granted, in order, from after `after` on, while they begin with
    // `prefix`.
    [[nodiscard]] virtual std::vector<lockmgr::LockName> names(std::string_view prefix,
                                                               std::string_view after,
                                                               int limit) = 0;
};

// Writes that the fence refused, by the lease whose token was presented.
class RefusalReader {
public:
    virtual ~RefusalReader() = default;

    [[nodiscard]] virtual std::int64_t count(lockmgr::FencingToken token) = 0;
    // The first ones.
    [[nodiscard]] virtual std::vector<RefusedWrite> of(lockmgr::FencingToken token,
                                                       std::int64_t limit) = 0;
};

struct Proclamation {
    std::optional<lockmgr::FencingToken> token;  // of the lease it was made under
    std::string value_json;
    WallTime at{};
};

// What the leader of each election proclaimed last. Who leads is a lease, not a row here.
class ElectionReader {
public:
    virtual ~ElectionReader() = default;

    [[nodiscard]] virtual std::optional<Proclamation> find(std::string_view election) = 0;
};

// One row a job and slot. The schema keeps done and missed final once more.
class RunReader {
public:
    virtual ~RunReader() = default;

    [[nodiscard]] virtual std::optional<Run> find(std::string_view job, std::string_view slot) = 0;
    // Newest slot first, before `before` if that is not empty.
    [[nodiscard]] virtual std::vector<Run> list(std::string_view job, std::string_view before,
                                                int limit) = 0;
};

// A payment that is held and not captured.
struct Hold {
    std::int64_t hour = -1;  // since when
    std::string payment_id{};
};

class PaymentReader {
public:
    virtual ~PaymentReader() = default;

    [[nodiscard]] virtual std::optional<Payment> find(std::string_view id) = 0;

    // The payment that has this reference of this principal.
    [[nodiscard]] virtual std::optional<std::string> find_reference(std::string_view reference,
                                                                    std::string_view principal) = 0;

    // Up to `limit` holds from before `hour`, in order from behind `after` on.
    [[nodiscard]] virtual std::vector<Hold> holds_before(std::int64_t hour, const Hold& after,
                                                         int limit) = 0;
    // Refunds of one payment, newest first, at most `limit`, older than the transfer `before`
    // (0: from the newest on). nullopt if `before` is not a transfer of the payment.
    [[nodiscard]] virtual std::optional<std::vector<Refund>> refunds(const Payment& payment,
                                                                     std::int64_t before,
                                                                     int limit) = 0;
};

// The journal by place and time. No method reads more rows than its limit says: the store thread
// answers everybody.
class EntryReader {
public:
    virtual ~EntryReader() = default;

    // The entries booked in this time, by search, not by scan.
    [[nodiscard]] virtual EntryRanges ranges_of(const TimeRange& time) = 0;

    // A payment that was created, by the entry that created it.
    struct Creation {
        std::int64_t entry = 0;
        std::string payment_id;
    };
    // In the range, beside `beside`: the nearest `limit` of them, nearest first.
    [[nodiscard]] virtual std::vector<Creation> created_before(std::int64_t beside,
                                                               const EntryRanges& ranges,
                                                               int limit) = 0;
    [[nodiscard]] virtual std::vector<Creation> created_after(std::int64_t beside,
                                                              const EntryRanges& ranges,
                                                              int limit) = 0;
    [[nodiscard]] virtual std::vector<JournalEntry> before(std::int64_t beside,
                                                           const EntryRanges& ranges,
                                                           int limit) = 0;
    [[nodiscard]] virtual std::vector<JournalEntry> after(std::int64_t beside,
                                                          const EntryRanges& ranges, int limit) = 0;
    [[nodiscard]] virtual std::optional<JournalEntry> find(std::int64_t id) = 0;

    // The newest mark not behind `id`, and what the account came to there; 0 if there is none.
    struct Marked {
        std::int64_t id = 0;
        std::int64_t debits_minor = 0;
        std::int64_t credits_minor = 0;
    };
    [[nodiscard]] virtual Marked marked_until(std::int64_t id, Account account,
                                              std::string_view currency) = 0;
};

// What each idempotency key was answered, written in the transaction of the effect.
class AnswerReader {
public:
    virtual ~AnswerReader() = default;

    // An answer that cannot be read is found as the error Internal: the key stays used.
    [[nodiscard]] virtual std::optional<StoredAnswer> find(std::string_view principal,
                                                           const Idempotency& idempotency) = 0;
};

// How far the readers of events say that they have come.
class ConsumerReader {
public:
    virtual ~ConsumerReader() = default;

    [[nodiscard]] virtual std::optional<Consumer> find(const std::string& name) = 0;
    [[nodiscard]] virtual std::int64_t count_of(const std::string& principal) = 0;
};

// A lease that ended long ago, as far as forgetting it needs.
struct OldLease {
    lockmgr::FencingToken token;
    lockmgr::LeaseState state;
    std::int64_t ended_hour;
    lockmgr::LockName lock;  // the first of its locks
    bool has_more_rows;      // further locks or refusals
};

// What forgetting goes by: what is old, and the count of hours (batch/sweeper.hpp).
class UpkeepReader {
public:
    virtual ~UpkeepReader() = default;

    // The hour that has not ended yet, nullopt if the store does not answer; and what has run of
    // it.
    [[nodiscard]] virtual std::optional<std::int64_t> hour() = 0;
    [[nodiscard]] virtual Duration running() = 0;
    // 0: the hour is not known, or issued none.
    [[nodiscard]] virtual std::int64_t last_token_of(std::int64_t hour) = 0;

    struct OldAnswer {
        std::int64_t id;
        std::int64_t hour;
    };
    // The oldest.
    [[nodiscard]] virtual std::vector<OldAnswer> oldest_answers(std::size_t limit) = 0;

    // In the order of their tokens, above `after`, up to `until`.
    [[nodiscard]] virtual std::vector<OldLease> leases_between(std::int64_t after,
                                                               std::int64_t until,
                                                               std::size_t limit) = 0;
    // Of the locks of this lease those that were not granted since.
    [[nodiscard]] virtual std::vector<lockmgr::LockName> headed_by(const OldLease& lease) = 0;
};

// All of them.
struct Readers {
    LeaseReader& leases;
    RefusalReader& refusals;
    ElectionReader& elections;
    RunReader& runs;
    PaymentReader& payments;
    EntryReader& entries;
    AnswerReader& answers;
    ConsumerReader& consumers;
    LedgerReader& ledger;
    UpkeepReader& upkeep;
};

}  // namespace fencegate::storage
