#pragma once
// Rows: the tables as commands see them, one class a table and one method a question. An engine
// implements them; nothing that decides is behind them.
// Everything is read as this transaction leaves it. After the first failure of the store
// (store.hpp) nothing is found and nothing is written, and what was decided on that never commits.
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
class LeaseRows {
public:
    using Token = lockmgr::FencingToken;
    virtual ~LeaseRows() = default;

    // nullopt: the store does not answer.
    [[nodiscard]] virtual std::optional<lockmgr::TokenCounter> counter() = 0;
    virtual void set_counter(lockmgr::TokenCounter counter) = 0;

    [[nodiscard]] virtual std::optional<lockmgr::Lease> find(Token token) = 0;
    // The lease with the first of its locks.
    virtual void insert(const lockmgr::Lease& lease, const std::optional<Token>& before) = 0;
    // Another lock of a lease. `before`: the lease of the lock that was granted before it.
    virtual void insert_further(Token token, const lockmgr::LockName& lock,
                                const std::optional<Token>& before) = 0;
    virtual void set_ttl(Token token, Duration ttl) = 0;
    virtual void end(Token token, lockmgr::LeaseState how, Stamp now) = 0;
    virtual void supersede(Token token) = 0;
    virtual void note_break_reason(Token token, std::string_view reason) = 0;
    [[nodiscard]] virtual std::string break_reason(Token token) = 0;

    [[nodiscard]] virtual ChainHead head(const lockmgr::LockName& lock) = 0;
    // `is_first`: the lock has no head yet.
    virtual void set_head(const lockmgr::LockName& lock, bool is_first, Token token) = 0;
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
class RefusalRows {
public:
    virtual ~RefusalRows() = default;

    // Counts one more; returns how many they are.
    [[nodiscard]] virtual std::int64_t count_up(lockmgr::FencingToken token) = 0;
    [[nodiscard]] virtual std::int64_t count(lockmgr::FencingToken token) = 0;
    virtual void insert(lockmgr::FencingToken token, std::int64_t number,
                        const RefusedWrite& refused) = 0;
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
class ElectionRows {
public:
    virtual ~ElectionRows() = default;

    virtual void proclaim(std::string_view election, lockmgr::FencingToken token,
                          std::string_view value, WallTime now) = 0;
    [[nodiscard]] virtual std::optional<Proclamation> find(std::string_view election) = 0;
};

// One row a job and slot. The schema keeps done and missed final once more.
class RunRows {
public:
    virtual ~RunRows() = default;

    [[nodiscard]] virtual std::optional<Run> find(std::string_view job, std::string_view slot) = 0;
    // Inserts or replaces.
    virtual void put(const Run& run) = 0;
    // Newest slot first, before `before` if that is not empty.
    [[nodiscard]] virtual std::vector<Run> list(std::string_view job, std::string_view before,
                                                int limit) = 0;
};

// A payment that is held and not captured.
struct Hold {
    std::int64_t hour = -1;  // since when
    std::string payment_id{};
};

class PaymentRows {
public:
    virtual ~PaymentRows() = default;

    virtual void insert(const Payment& payment) = 0;
    virtual void update(const Payment& payment) = 0;
    [[nodiscard]] virtual std::optional<Payment> find(std::string_view id) = 0;

    // The payment that has this reference of this principal.
    [[nodiscard]] virtual std::optional<std::string> find_reference(std::string_view reference,
                                                                    std::string_view principal) = 0;
    virtual void insert_reference(const Payment& payment, std::string_view principal) = 0;

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
class EntryRows {
public:
    virtual ~EntryRows() = default;

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
class AnswerRows {
public:
    virtual ~AnswerRows() = default;

    // An answer that cannot be read is found as the error Internal: the key stays used.
    [[nodiscard]] virtual std::optional<StoredAnswer> find(std::string_view principal,
                                                           const Idempotency& idempotency) = 0;
    virtual void insert(std::string_view principal, const Idempotency& idempotency,
                        const StoredAnswer& answer, Stamp now) = 0;
};

// How far the readers of events say that they have come.
class ConsumerRows {
public:
    virtual ~ConsumerRows() = default;

    [[nodiscard]] virtual std::optional<Consumer> find(const std::string& name) = 0;
    [[nodiscard]] virtual std::int64_t count_of(const std::string& principal) = 0;
    // Inserts or replaces.
    virtual void put(const Consumer& consumer) = 0;
    virtual void erase(const std::string& name) = 0;
};

// A lease that ended long ago, as far as forgetting it needs.
struct OldLease {
    lockmgr::FencingToken token;
    lockmgr::LeaseState state;
    std::int64_t ended_hour;
    lockmgr::LockName lock;  // the first of its locks
    bool has_more_rows;      // further locks or refusals
};

// What forgetting reads and removes, and the count of hours that it goes by (sweeper.hpp).
class UpkeepRows {
public:
    virtual ~UpkeepRows() = default;

    // The hour that has not ended yet, nullopt if the store does not answer; and what has run of
    // it.
    [[nodiscard]] virtual std::optional<std::int64_t> hour() = 0;
    [[nodiscard]] virtual Duration running() = 0;
    virtual void note_running(Duration ran) = 0;
    // Notes the token that the hour issued last.
    virtual void end_hour(std::int64_t hour) = 0;
    virtual void forget_hours_before(std::int64_t hour) = 0;
    // 0: the hour is not known, or issued none.
    [[nodiscard]] virtual std::int64_t last_token_of(std::int64_t hour) = 0;

    struct OldAnswer {
        std::int64_t id;
        std::int64_t hour;
    };
    // The oldest.
    [[nodiscard]] virtual std::vector<OldAnswer> oldest_answers(std::size_t limit) = 0;
    virtual void forget_answer(std::int64_t id) = 0;

    // In the order of their tokens, above `after`, up to `until`.
    [[nodiscard]] virtual std::vector<OldLease> leases_between(std::int64_t after,
                                                               std::int64_t until,
                                                               std::size_t limit) = 0;
    // Of the locks of this lease those that were not granted since.
    [[nodiscard]] virtual std::vector<lockmgr::LockName> headed_by(const OldLease& lease) = 0;
    virtual void forget(const OldLease& lease) = 0;
};

// All of them.
struct Rows {
    LeaseRows& leases;
    RefusalRows& refusals;
    ElectionRows& elections;
    RunRows& runs;
    PaymentRows& payments;
    EntryRows& entries;
    AnswerRows& answers;
    ConsumerRows& consumers;
    LedgerRows& ledger;
    UpkeepRows& upkeep;
};

}  // namespace fencegate::storage
