#include "storage/sqlite/journal.hpp"

#include "base/believed_wall.hpp"
#include "base/check.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/money/money.hpp"
#include "storage/sqlite/journal_rows.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

std::int64_t ms(WallTime time) { return time.time_since_epoch().count(); }

std::int64_t epoch_of(std::int64_t id) { return id >> lockmgr::kTokenSequenceBits; }

std::int64_t begin_of(std::int64_t epoch) { return epoch << lockmgr::kTokenSequenceBits; }

std::int64_t epoch_begin(Connection& connection) {
    Statement epoch(connection, "SELECT epoch FROM store WHERE id = 1");
    auto row = epoch.query();
    return row.next() ? begin_of(row.integer(0)) : 0;
}

Balance& balance_of(std::array<Balance, kAccounts>& of_currency, Account account) {
    return of_currency[std::to_underlying(account)];
}

}  // namespace

std::int64_t count_entries(Connection& connection) {
    Statement last(connection, "SELECT max(id) FROM transfers WHERE id <= ?");
    std::int64_t count = 0;
    for (auto until = INT64_MAX; until > 0;) {
        auto row = last.query(until);
        if (!row.next() || row.is_null(0)) break;
        const auto id = row.integer(0);
        until = begin_of(epoch_of(id));
        count += id - until;
    }
    return count;
}

bool may_follow(std::int64_t id, std::int64_t before) noexcept {
    return id == before + 1 ||
           (epoch_of(id) > epoch_of(before) && id == begin_of(epoch_of(id)) + 1);
}

Journal::Journal(Connection& connection)
    : insert_(connection,
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
      epoch_begin_(epoch_begin(connection)),
      find_balances_(connection, "SELECT currency, account, debits, credits FROM balances") {
    load();
    head_.entries = committed_.entries = count_entries(connection);
}

void Journal::load() {
    {
        auto row = find_head_.query();
        if (row.next()) {
            head_.id = row.integer(0);
            head_.booked_at = WallTime(std::chrono::milliseconds(row.integer(1)));
            const auto seal = row.blob(2);
            if (seal.size() == head_.seal.size()) std::ranges::copy(seal, head_.seal.begin());
            head_.marked = row.integer(3);
        }
    }
    auto row = find_balances_.query();
    while (row.next()) {
        const auto account = static_cast<std::size_t>(row.integer(1));
        balances_[std::string(row.text(0))].at(account) = {row.integer(2), row.integer(3)};
    }
    committed_ = head_;
}

std::int64_t Journal::next_id() const noexcept { return std::max(head_.id, epoch_begin_) + 1; }

WallTime Journal::booking_time(WallTime now) const {
    return head_.booked_at - now <= BelievedWall::kDrift ? std::max(now, head_.booked_at) : now;
}

Journal::Booked Journal::post(Payment& payment, std::span<const TransferDraft> drafts,
                              const Movement& movement, Random& random) {
    FG_CHECK(!drafts.empty());
    JournalEntry entry{.payment_id = payment.id,
                       .currency = payment.currency,
                       .token = movement.token,
                       .principal = std::string(movement.principal),
                       .owner = std::string(movement.owner),
                       .key = std::string(movement.key),
                       .reason = std::string(movement.reason),
                       .booked_at = booking_time(movement.now),
                       .movement = next_id()};
    Booked booked{.id = {}, .at = entry.booked_at};
    for (const auto& draft : drafts) {
        const auto [debit, credit] = accounts_of(draft.kind);
        entry.id = next_id();
        entry.kind = draft.kind;
        entry.debit = debit;
        entry.credit = credit;
        entry.amount_minor = draft.amount_minor;
        entry.public_id = uuid_v7(entry.booked_at, random);
        entry.previous = payment.last_transfer;
        entry.seal = seal_of(entry, head_.seal);
        append(entry);
        if (entry.id == entry.movement) booked.id = entry.public_id;
        payment.last_transfer = entry.id;
    }
    return booked;
}

void Journal::append(const JournalEntry& entry) {
    insert_.run(entry.id, entry.payment_id, static_cast<std::int64_t>(entry.kind),
                static_cast<std::int64_t>(entry.debit), static_cast<std::int64_t>(entry.credit),
                entry.amount_minor, entry.currency, Blob(entry.public_id.bytes), entry.token,
                entry.principal, entry.owner, entry.key, entry.reason, ms(entry.booked_at),
                entry.previous, entry.movement, Blob(entry.seal));
    if (entry.booked_at < head_.booked_at) insert_turn_.run(entry.id);
    head_.id = entry.id;
    ++head_.entries;
    head_.booked_at = entry.booked_at;
    head_.seal = entry.seal;
    const auto currency = balances_.try_emplace(entry.currency).first;
    postings_.push_back({currency, entry.debit, entry.credit, entry.amount_minor});
    add(postings_.back(), entry.amount_minor);
}

void Journal::add(const Posting& posting, std::int64_t amount_minor) {
    auto& accounts = posting.currency->second;
    balance_of(accounts, posting.debit).debits_minor += amount_minor;
    balance_of(accounts, posting.credit).credits_minor += amount_minor;
}

bool Journal::has_room(std::string_view currency, std::int64_t amount_minor) const {
    const auto found = balances_.find(currency);
    if (found == balances_.end()) return true;
    const auto& outside = found->second[std::to_underlying(Account::CustomerFunds)];
    return checked_add(outside.debits_minor, amount_minor).has_value();
}

void Journal::write_balances() {
    if (postings_.empty()) return;
    std::set<std::pair<std::string_view, Account>> moved;
    for (const auto& posting : postings_) {
        moved.emplace(posting.currency->first, posting.debit);
        moved.emplace(posting.currency->first, posting.credit);
    }
    for (const auto& [currency, account] : moved) {
        const auto& balance = balances_.find(currency)->second[std::to_underlying(account)];
        upsert_balance_.run(currency, static_cast<std::int64_t>(account), balance.debits_minor,
                            balance.credits_minor);
    }
    if (head_.id - head_.marked >= kMarkEvery) write_mark();
}

void Journal::write_mark() {
    insert_mark_.run(head_.id, ms(head_.booked_at));
    for (const auto& [currency, accounts] : balances_) {
        for (std::size_t account = 0; account < accounts.size(); ++account)
            insert_mark_balance_.run(head_.id, currency, static_cast<std::int64_t>(account),
                                     accounts[account].debits_minor,
                                     accounts[account].credits_minor);
    }
    head_.marked = head_.id;
}

void Journal::rollback_to(const Mark& mark) {
    while (postings_.size() > mark.postings) {
        add(postings_.back(), -postings_.back().amount_minor);
        postings_.pop_back();
    }
    head_ = mark.head;
}

void Journal::commit() {
    postings_.clear();
    committed_ = head_;
}

void Journal::roll_back() { rollback_to({committed_, 0}); }

}  // namespace fencegate::storage::sqlite
