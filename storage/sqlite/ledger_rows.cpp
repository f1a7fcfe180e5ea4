#include "storage/sqlite/ledger_rows.hpp"

#include <algorithm>
#include <string>

namespace fencegate::storage::sqlite {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

std::int64_t count_entries(Connection& connection) {
    Statement last(connection, "SELECT max(id) FROM transfers WHERE id <= ?");
    std::int64_t count = 0;
    for (auto until = INT64_MAX; until > 0;) {
        auto row = last.query(until);
        if (!row.next() || row.is_null(0)) break;
        const auto id = row.integer(0);
        until = first_of_epoch(epoch_of_entry(id));
        count += id - until;
    }
    return count;
}

LedgerRows::LedgerRows(Connection& connection)
    : connection_(connection),
      insert_(connection,
              "INSERT INTO transfers (id, payment_id, kind, debit_account, credit_account, amount, "
              "currency, public_id, token, principal, owner, key, reason, created_at_ms, previous, "
              "movement, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_turn_(connection, "INSERT INTO clock_turns (transfer_id) VALUES (?)"),
      upsert_balance_(connection,
                      "INSERT INTO balances (currency, account, debits, credits) "
                      "VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET debits = excluded.debits, "
                      "credits = excluded.credits"),
      insert_mark_(connection, "INSERT INTO marks (transfer_id, booked_at_ms) VALUES (?, ?)"),
      insert_mark_balance_(connection,
                           "INSERT INTO mark_balances (transfer_id, currency, account, debits, "
                           "credits) VALUES (?, ?, ?, ?, ?)"),
      find_head_(connection,
                 "SELECT id, created_at_ms, seal, "
                 "(SELECT coalesce(max(transfer_id), 0) FROM marks) "
                 "FROM transfers ORDER BY id DESC LIMIT 1"),
      find_balances_(connection, "SELECT currency, account, debits, credits FROM balances"),
      epoch_(connection, "SELECT epoch FROM store WHERE id = 1") {}

LedgerHead LedgerRows::read_head() {
    LedgerHead head;
    {
        auto row = find_head_.query();
        if (!row.next()) return head;
        head.id = row.integer(0);
        head.booked_at = WallTime(std::chrono::milliseconds(row.integer(1)));
        const auto seal = row.blob(2);
        if (seal.size() == head.seal.size()) std::ranges::copy(seal, head.seal.begin());
        head.marked = row.integer(3);
    }
    head.entries = count_entries(connection_);
    return head;
}

LedgerState LedgerRows::read() {
    LedgerState state{.head = read_head()};
    {
        auto row = find_balances_.query();
        while (row.next()) {
            const auto account = static_cast<std::size_t>(row.integer(1));
            state.balances[std::string(row.text(0))].at(account) = {row.integer(2), row.integer(3)};
        }
    }
    auto row = epoch_.query();
    if (row.next()) state.epoch = row.integer(0);
    return state;
}

void LedgerRows::write(const LedgerChanges& changes) {
    for (const auto& entry : changes.entries)
        insert_.run(entry.id, entry.payment_id, static_cast<std::int64_t>(entry.kind),
                    static_cast<std::int64_t>(entry.debit), static_cast<std::int64_t>(entry.credit),
                    entry.amount_minor, entry.currency, Blob(entry.public_id.bytes), entry.token,
                    entry.principal, entry.owner, entry.key, entry.reason, ms(entry.booked_at),
                    entry.previous, entry.movement, Blob(entry.seal));
    for (const auto entry : changes.turns) insert_turn_.run(entry);
    for (const auto& [currency, account, balance] : changes.balances)
        upsert_balance_.run(currency, static_cast<std::int64_t>(account), balance.debits_minor,
                            balance.credits_minor);
    if (changes.mark) insert_mark(*changes.mark);
}

void LedgerRows::insert_mark(const LedgerMark& mark) {
    insert_mark_.run(mark.head.id, ms(mark.head.booked_at));
    for (const auto& [currency, accounts] : mark.balances) {
        for (std::size_t account = 0; account < accounts.size(); ++account)
            insert_mark_balance_.run(mark.head.id, currency, static_cast<std::int64_t>(account),
                                     accounts[account].debits_minor,
                                     accounts[account].credits_minor);
    }
}

}  // namespace fencegate::storage::sqlite
