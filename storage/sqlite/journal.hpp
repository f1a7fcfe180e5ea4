#pragma once
// Journal: appends movements, seals them and keeps the balances. Its head and the balances are also
// in memory, where they follow the rows through every rollback, as LiveState does.
// A movement is one or more transfers that are booked side by side or not at all.
// Numbers: an entry's id is `epoch * 2^43 + n`, as a token is. A restore raises the epoch, so no
// number that a lost journal told, as an event or a version, ever names something else. Within an
// epoch there is no gap. Time: order is by id; an entry has the time that the store believes
// (store_clock.hpp). A clock that is a little behind leaves the journal waiting at its newest time;
// one that was set back further is followed, and the entry is noted as a turn, because a time is
// searched for between turns. Balances are written once a batch (write_balances), and marked every
// kMarkEvery entries: a statement begins at a mark instead of the first entry.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT. Errors: the
// Connection's failure().

#include "base/random.hpp"
#include "storage/money/journal.hpp"
#include "storage/sqlite/connection.hpp"

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::sqlite {

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

class Journal {
public:
    struct Head {
        std::int64_t id = 0;
        std::int64_t entries = 0;  // up to this one
        std::int64_t marked = 0;   // the last entry that has a mark
        WallTime booked_at{};
        Sha256 seal{};
    };
    struct Mark {
        Head head;
        std::size_t postings;
    };
    struct Booked {
        Uuid id;  // of the first transfer
        WallTime at;
    };

    explicit Journal(Connection& connection);

    // Books `drafts` as one movement and makes the last of them the head of the payment's chain,
    // which the caller writes. REQUIRES: there is at least one draft, and the payment has a row.
    Booked post(Payment& payment, std::span<const TransferDraft> drafts, const Movement& movement,
                Random& random);

    // False where the sums of the currency would no longer fit 63 bits. Asked before money comes
    // in: every later movement of it adds up to no more.
    [[nodiscard]] bool has_room(std::string_view currency, std::int64_t amount_minor) const;

    // The time at which something booked now is booked.
    [[nodiscard]] WallTime booking_time(WallTime now) const;
    [[nodiscard]] const Head& head() const noexcept { return head_; }
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

    void load();
    [[nodiscard]] std::int64_t next_id() const noexcept;
    void append(const JournalEntry& entry);
    void add(const Posting& posting, std::int64_t amount_minor);
    void write_mark();

    Statement insert_;
    Statement insert_turn_;
    Statement upsert_balance_;
    Statement insert_mark_;
    Statement insert_mark_balance_;
    Statement find_head_;
    std::int64_t epoch_begin_;  // ids of this epoch are above it
    Statement find_balances_;
    Head head_;
    Head committed_;
    Balances balances_;
    std::vector<Posting> postings_;  // of this batch
};

// How many entries there are, without looking at each.
[[nodiscard]] std::int64_t count_entries(Connection& connection);

// Whether the entry behind `before` may have the number `id`.
[[nodiscard]] bool may_follow(std::int64_t id, std::int64_t before) noexcept;

// Seals every entry and works out the balances: what version 3 brought to older journals. Marks
// begin with what is booked from then on. REQUIRES: a transaction is open.
void seal_journal(Connection& connection);

}  // namespace fencegate::storage::sqlite
