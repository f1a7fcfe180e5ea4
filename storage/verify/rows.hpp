#pragma once
// RowsToVerify: a whole store as `verify` reads it, and as each engine shows it. A pass is all rows
// of one kind in one order, so that a rule that looks at several kinds walks them side by side and
// keeps nothing but the row before.
// Owns: which rows there are, with which columns, in which order. Refuses to own: what must hold
// between them, which the rules beside this say, and what only one engine has: files, pages,
// schema.
//
// A row is told as it stands, whatever it holds: that is what is asked. So tokens are numbers here,
// an enum may be none of its values, and bytes of a wrong size are zeros. Texts are in the order of
// their bytes. Where the order of two kinds cannot be one, a row brings the row along that it
// names, if that is there. Thread rule: one thread. All passes show the store at one moment.
// Errors: a pass ends where a row cannot be read, and no other begins until take_damage().

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/uuid.hpp"
#include "lockmgr/guards.hpp"
#include "lockmgr/lease.hpp"
#include "storage/model/idempotency.hpp"
#include "storage/money/journal.hpp"
#include "storage/money/payment.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace fencegate::storage {

// How an engine shows rows. One of them lives for all, so that a row costs no allocation.
template <class Row>
class Cursor {
public:
    virtual ~Cursor() = default;
    // The next row, good until the next call; nullptr: there is none, now and for ever.
    [[nodiscard]] virtual const Row* next() = 0;
};

// A cursor that remembers the row it is at, for who walks two side by side.
template <class Row>
class Pass {
public:
    explicit Pass(std::unique_ptr<Cursor<Row>> cursor) : cursor_(std::move(cursor)) {}

    const Row* next() { return at_ = cursor_->next(); }
    [[nodiscard]] const Row* at() const noexcept { return at_; }  // before next(): nullptr

private:
    std::unique_ptr<Cursor<Row>> cursor_;
    const Row* at_ = nullptr;
};

struct StoreTotals {
    std::int64_t newest_token = 0;  // where the counter stands
    std::int64_t entries = 0;       // roughly; for the progress
};

// An hour that the store has run, and the newest token that there was at its end.
struct StoredHour {
    std::int64_t hour = 0;
    std::int64_t last_token = 0;
};

// An entry that is noted as booked before the one in front of it. A time is none if its entry is
// not there.
struct StoredTurn {
    std::int64_t entry = 0;
    std::optional<WallTime> booked_at{};
    std::optional<WallTime> before{};
};

struct StoredLease {
    std::int64_t token = 0;
    WallTime granted_at{};
    std::optional<WallTime> ended_at{};
    std::int64_t lock_count = 0;
};

// A row of the second or a further lock of a lease.
struct FurtherLock {
    std::int64_t token = 0;
};

// A lease as one of its locks sees it.
struct LockLease {
    std::string lock{};
    std::int64_t token = 0;
    lockmgr::LeaseState state{};
    lockmgr::LockMode mode{};
    std::int64_t permits = 0;
    std::int64_t previous = 0;  // of this lock; 0: none
    WallTime granted_at{};
};

struct LockHead {
    std::string lock{};
    std::int64_t last_token = 0;
};

// The lease that a token names, as far as the fence asks for it.
struct GuardingLease {
    std::string lock{};  // the first of them
    std::string principal{};
    std::string owner{};
    lockmgr::LockMode mode{};
    lockmgr::LeaseState state{};
    WallTime ended_at{};  // meaningless while live
};

struct StoredEntry {
    JournalEntry entry{};
    std::optional<std::int64_t> token{};  // entry.token is none where this cannot be one
    std::optional<GuardingLease> lease{};
};

// An entry as its payment sees it.
struct PaymentEntry {
    std::string payment_id{};
    std::int64_t id = 0;
    TransferKind kind{};
    std::int64_t amount_minor = 0;
    std::string currency{};
    std::optional<std::int64_t> token{};
    std::string principal{};
    bool has_key = false;
    Uuid public_id{};
    WallTime booked_at{};
    std::int64_t previous = 0;
    std::int64_t movement = 0;
};

// A movement of a payment that was there, under a token.
struct FencedWrite {
    std::string payment_id{};
    std::int64_t id = 0;
    std::int64_t token = 0;
    WallTime booked_at{};
    std::optional<WallTime> before{};  // when the entry with the number before it was booked
};

// A movement of money under an idempotency key.
struct KeyedMovement {
    std::string principal{};
    std::string key{};
    std::int64_t id = 0;
    WallTime booked_at{};
};

struct AccountSums {
    std::int64_t debits_minor = 0;
    std::int64_t credits_minor = 0;

    friend bool operator==(const AccountSums&, const AccountSums&) = default;
};

struct StoredBalance {
    std::int64_t mark = 0;  // the entry up to which it adds up; 0: all
    std::string currency{};
    std::int64_t account = 0;
    AccountSums sums{};
};

struct StoredMark {
    std::int64_t entry = 0;
    WallTime booked_at{};
};

struct StoredReference {
    std::string payment_id{};
    std::string reference{};
    std::string principal{};
};

struct StoredConsumer {
    std::string name{};
    std::int64_t position = 0;
};

// What an answer says that it tells of. The last two are none where the row is not there.
struct ToldEntry {
    std::string payment_id{};
    std::string principal{};
    std::string key{};
    std::optional<std::int64_t> token{};
    std::int64_t movement = 0;
    std::optional<std::int64_t> next_movement{};  // of the entry with the next number
};
struct ToldLease {
    std::string principal{};
    lockmgr::LeaseState state{};
};

struct KeptAnswer {
    std::int64_t id = 0;
    std::string principal{};
    std::string key{};
    KeyDigest digest{};
    bool is_refusal = false;
    std::optional<ErrorCode> refusal{};  // none where no rule makes one of that name
    bool is_of_money = false;
    bool is_grant = false;    // or a renewal; what is neither is told again as it was
    std::string operation{};  // empty: from before version 4
    std::optional<std::int64_t> token{};
    std::string resource_id{};
    std::int64_t version = 0;  // the last entry of the movement it tells of; 0: of none
    WallTime created_at{};
    bool is_released = false;  // it says that its write ended the lease it was made under
    std::optional<ToldEntry> entry{};
    std::optional<ToldLease> lease{};
};

// An answer by its key.
struct KeyedAnswer {
    std::string principal{};
    std::string key{};
    std::int64_t id = 0;
    bool is_refusal = false;
    std::int64_t version = 0;
    WallTime created_at{};
};

// A success in the words it was told in.
struct ToldAnswer {
    std::int64_t id = 0;
    std::string principal{};
    std::optional<std::int64_t> token{};
    std::string payment_id{};
    std::int64_t version = 0;
    std::string body{};
};

// The tables that have tokens, besides the journal.
enum class TokenTable : std::uint8_t { Leases, Locks, Answers, Hours, Refusals, Elections, Runs };

struct StoredToken {
    std::optional<std::int64_t> token{};   // 0 in an hour or a run: none
    std::optional<std::int64_t> holder{};  // of a refusal: whose the lock was then; 0: nobody's
};

class RowsToVerify {
public:
    virtual ~RowsToVerify() = default;

    [[nodiscard]] virtual StoreTotals totals() = 0;
    [[nodiscard]] virtual Pass<StoredHour> hours() = 0;
    [[nodiscard]] virtual Pass<StoredTurn> turns() = 0;                    // by entry
    [[nodiscard]] virtual Pass<StoredToken> tokens(TokenTable table) = 0;  // in any order

    // Leases and their locks.
    [[nodiscard]] virtual Pass<StoredLease> leases() = 0;         // by token
    [[nodiscard]] virtual Pass<FurtherLock> further_locks() = 0;  // by token
    // By lock, then by token; nullopt: of all locks.
    [[nodiscard]] virtual Pass<LockLease> leases_by_lock(
        std::optional<lockmgr::LockRange> within) = 0;
    [[nodiscard]] virtual Pass<LockHead> lock_heads() = 0;  // by lock
    // For writes that the first lock of their lease does not guard.
    [[nodiscard]] virtual bool has_further_lock(lockmgr::FencingToken token,
                                                const std::string& lock) = 0;

    // The journal, and what is kept of it elsewhere.
    [[nodiscard]] virtual Pass<StoredEntry> journal() = 0;  // by id, with leases
    // Whether an entry of this number may stand behind that one; 0: the first of all.
    [[nodiscard]] virtual bool may_follow(std::int64_t id, std::int64_t before) const = 0;
    [[nodiscard]] virtual Pass<StoredMark> marks() = 0;             // by entry
    [[nodiscard]] virtual Pass<StoredBalance> mark_balances() = 0;  // by mark, currency, account
    [[nodiscard]] virtual Pass<StoredBalance> balances() = 0;       // by currency, account
    [[nodiscard]] virtual Pass<StoredConsumer> consumers() = 0;     // by name

    // Payments, without their metadata, and their entries.
    [[nodiscard]] virtual Pass<Payment> payments() = 0;                 // by id
    [[nodiscard]] virtual Pass<PaymentEntry> entries_by_payment() = 0;  // then by id
    [[nodiscard]] virtual Pass<FencedWrite> fenced_writes() = 0;        // by payment, then by id
    [[nodiscard]] virtual Pass<StoredReference> references() = 0;       // by payment
    // For the few that are not named by their own: the payment that this reference names, and the
    // reference that it has itself, empty if it is not there.
    [[nodiscard]] virtual std::optional<StoredReference> named_by(const std::string& reference,
                                                                  const std::string& principal) = 0;
    // From the payment's newest on, each once, in any order.
    [[nodiscard]] virtual Pass<PaymentEntry> chain_of(const std::string& payment_id) = 0;

    // Keys, and what was answered under them.
    [[nodiscard]] virtual Pass<KeyedMovement> movements_by_key() = 0;  // principal, key, id
    [[nodiscard]] virtual Pass<KeyedAnswer> answers_by_key() = 0;      // principal, key, id
    [[nodiscard]] virtual Pass<KeptAnswer> answers() = 0;              // by id
    // By id: successes that name an entry, with it; grants and what released, with their leases.
    [[nodiscard]] virtual Pass<KeptAnswer> answers_of_entries() = 0;
    [[nodiscard]] virtual Pass<KeptAnswer> answers_of_leases() = 0;
    // Successes that name an entry, by payment, then by entry; and those of money that name none,
    // by id.
    [[nodiscard]] virtual Pass<ToldAnswer> told_by_payment() = 0;
    [[nodiscard]] virtual Pass<ToldAnswer> told_of_no_entry() = 0;

    [[nodiscard]] virtual bool has_failed() const = 0;
    // What is damaged, if that is why it failed, and goes on with the next pass. Who has failed for
    // another reason shows no row any more.
    [[nodiscard]] virtual std::optional<std::string> take_damage() = 0;
};

}  // namespace fencegate::storage
