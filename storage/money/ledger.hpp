#pragma once
// Ledger: books movements, seals them and keeps the balances. Its head and the balances are in
// memory, where they follow the rows through every rollback, as LiveState does; it decides what is
// booked, and hands it over as LedgerChanges.
// A transfer that is booked is an entry of the journal. A movement is one or more transfers that
// are booked side by side or not at all.
// Numbers: an entry's id is `epoch * 2^43 + n`, as a token is. A restore raises the epoch, so no
// number that a lost journal told, as an event or a version, ever names something else. Within an
// epoch there is no gap. Time: order is by id; an entry has the time that the store believes
// (store_clock.hpp). A clock that is a little behind leaves the journal waiting at its newest time;
// one that was set back further is followed, and the entry is noted as a turn, because a time is
// searched for between turns. Balances are written with what moved them, and marked every
// kMarkEvery entries: a statement begins at a mark instead of the first entry.
// Thread rule: belongs to the store thread.

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

// Who makes a movement, under which fence and key, when.
struct Authorship {
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

class LedgerReader {
public:
    virtual ~LedgerReader() = default;

    [[nodiscard]] virtual LedgerState read() = 0;
};

struct BalanceChange {
    std::string currency;
    Account account;
    Balance balance;
};
// All balances as they stand behind an entry.
struct LedgerMark {
    LedgerHead head;
    Balances balances;
};
// What was booked, in the order of the entries, and what that leaves.
struct LedgerChanges {
    std::vector<JournalEntry> entries{};
    std::vector<std::int64_t> turns{};  // those that were booked before the one in front of them
    std::vector<BalanceChange> balances{};
    std::optional<LedgerMark> mark{};

    [[nodiscard]] bool is_empty() const noexcept { return entries.empty(); }
};

class Ledger {
public:
    struct Booked {
        Uuid id;  // of the first transfer
        WallTime at;
    };

    explicit Ledger(LedgerState state);

    // Books `transfers` as one movement and makes the last of them the head of the payment's
    // chain, which the caller writes. REQUIRES: there is at least one, and the payment has a row.
    Booked book(Payment& payment, std::span<const Transfer> transfers, const Authorship& author,
                Random& random);

    // False where the sums of the currency would no longer fit 63 bits. Asked before money comes
    // in: every later movement of it adds up to no more.
    [[nodiscard]] bool has_room(std::string_view currency, std::int64_t amount_minor) const;

    // The time at which something booked now is booked.
    [[nodiscard]] WallTime booking_time(WallTime now) const;
    [[nodiscard]] const LedgerHead& head() const noexcept { return head_; }
    [[nodiscard]] const Balances& balances() const noexcept { return balances_; }

    // What was booked since the last time, with the balances that it moved.
    [[nodiscard]] LedgerChanges take_changes();

    // All since the last commit is there to stay, or never was.
    void commit();
    void roll_back();

private:
    // What an entry added to two balances.
    struct Moved {
        Balances::iterator currency;
        Account debit;
        Account credit;
        std::int64_t amount_minor;
    };

    [[nodiscard]] std::int64_t next_id() const noexcept;
    void append(JournalEntry entry);
    void add(const Moved& moved, std::int64_t amount_minor);

    Balances balances_;
    std::int64_t epoch_begin_;  // ids of this epoch are above it
    LedgerHead head_;
    LedgerHead committed_;
    std::vector<Moved> moved_{};  // of this batch
    LedgerChanges changes_{};     // not handed over yet
};

// Ids of the epoch are above this.
[[nodiscard]] std::int64_t first_of_epoch(std::int64_t epoch) noexcept;
[[nodiscard]] std::int64_t epoch_of_entry(std::int64_t id) noexcept;

// Whether the entry behind `before` may have the number `id`.
[[nodiscard]] bool may_follow(std::int64_t id, std::int64_t before) noexcept;

}  // namespace fencegate::storage
