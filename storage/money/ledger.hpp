#pragma once
// Ledger: books movements, seals them and keeps the balances. Its head and the balances are in
// memory, where they follow the rows through every rollback, as LiveState does; it decides what is
// booked, and LedgerRows is where an engine writes it.
// A movement is one or more transfers that are booked side by side or not at all.
// Numbers: an entry's id is `epoch * 2^43 + n`, as a token is. A restore raises the epoch, so no
// number that a lost journal told, as an event or a version, ever names something else. Within an
// epoch there is no gap. Time: order is by id; an entry has the time that the store believes
// (store_clock.hpp). A clock that is a little behind leaves the journal waiting at its newest time;
// one that was set back further is followed, and the entry is noted as a turn, because a time is
// searched for between turns. Balances are written once a batch (write_balances), and marked every
// kMarkEvery entries: a statement begins at a mark instead of the first entry.
// Thread rule: belongs to the store thread. post() and write_balances() are called within a
// transaction. Errors: those of the rows, which stay with the engine.

#include "base/random.hpp"
#include "storage/money/journal.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

inline constexpr std::int64_t kMarkEvery = 4096;

// What the entries of one account add up to.
struct Balance {
    std::int64_t debits_minor = 0;
    std::int64_t credits_minor = 0;
};
using Balances = std::map<std::string, std::array<Balance, kAccounts>, std::less<>>;  // by currency

// Who moves money, under which fence and key, when.
struct Movement {
    std::optional<lockmgr::FencingToken> token;
    std::string_view principal;  // empty: the gateway itself
    std::string_view owner;
    std::string_view key;
    std::string_view reason;
    WallTime now;
};

// The newest entry, and what comes with it.
struct LedgerHead {
    std::int64_t id = 0;
    std::int64_t entries = 0;  // up to this one
    std::int64_t marked = 0;   // the last entry that has a mark
    WallTime booked_at{};
    Sha256 seal{};
};

// What a start reads of the ledger.
struct LedgerState {
    LedgerHead head{};
    Balances balances{};
    std::int64_t epoch = 0;
};

// Where the ledger is written: one method a row, in the order of the entries.
class LedgerRows {
public:
    virtual ~LedgerRows() = default;

    [[nodiscard]] virtual LedgerState read() = 0;
    virtual void append(const JournalEntry& entry) = 0;
    // The entry was booked before the one in front of it.
    virtual void note_turn(std::int64_t entry) = 0;
    virtual void put_balance(std::string_view currency, Account account,
                             const Balance& balance) = 0;
    // All balances as they stand behind the head.
    virtual void add_mark(const LedgerHead& head, const Balances& balances) = 0;
};

class Ledger {
public:
    struct Mark {
        LedgerHead head;
        std::size_t postings;
    };
    struct Booked {
        Uuid id;  // of the first transfer
        WallTime at;
    };

    // `rows` outlives it.
    explicit Ledger(LedgerRows& rows);

    // Books `drafts` as one movement and makes the last of them the head of the payment's chain,
    // which the caller writes. REQUIRES: there is at least one draft, and the payment has a row.
    Booked post(Payment& payment, std::span<const TransferDraft> drafts, const Movement& movement,
                Random& random);

    // False where the sums of the currency would no longer fit 63 bits. Asked before money comes
    // in: every later movement of it adds up to no more.
    [[nodiscard]] bool has_room(std::string_view currency, std::int64_t amount_minor) const;

    // The time at which something booked now is booked.
    [[nodiscard]] WallTime booking_time(WallTime now) const;
    [[nodiscard]] const LedgerHead& head() const noexcept { return head_; }
    [[nodiscard]] const Balances& balances() const noexcept { return balances_; }

    // Writes the balances that this batch has moved. The last thing before COMMIT.
    void write_balances();

    [[nodiscard]] Mark mark() const { return {head_, postings_.size()}; }
    void rollback_to(const Mark& mark);
    // All since the last commit is there to stay, or never was.
    void commit();
    void roll_back();

private:
    struct Posting {
        Balances::iterator currency;
        Account debit;
        Account credit;
        std::int64_t amount_minor;
    };

    [[nodiscard]] std::int64_t next_id() const noexcept;
    void append(const JournalEntry& entry);
    void add(const Posting& posting, std::int64_t amount_minor);

    LedgerRows& rows_;
    Balances balances_;
    std::int64_t epoch_begin_;  // ids of this epoch are above it
    LedgerHead head_;
    LedgerHead committed_;
    std::vector<Posting> postings_;  // of this batch
};

// Ids of the epoch are above this.
[[nodiscard]] std::int64_t first_of_epoch(std::int64_t epoch) noexcept;
[[nodiscard]] std::int64_t epoch_of_entry(std::int64_t id) noexcept;

// Whether the entry behind `before` may have the number `id`.
[[nodiscard]] bool may_follow(std::int64_t id, std::int64_t before) noexcept;

}  // namespace fencegate::storage
