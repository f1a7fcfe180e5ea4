#include "storage/money/ledger.hpp"

#include "base/believed_wall.hpp"
#include "base/check.hpp"
#include "lockmgr/fencing_token.hpp"
#include "storage/money/money.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace fencegate::storage {
namespace {

Balance& balance_of(std::array<Balance, kAccounts>& of_currency, Account account) {
    return of_currency[std::to_underlying(account)];
}

}  // namespace

std::int64_t epoch_of_entry(std::int64_t id) noexcept { return id >> lockmgr::kTokenSequenceBits; }

std::int64_t first_of_epoch(std::int64_t epoch) noexcept {
    return epoch << lockmgr::kTokenSequenceBits;
}

bool may_follow(std::int64_t id, std::int64_t before) noexcept {
    return id == before + 1 || (epoch_of_entry(id) > epoch_of_entry(before) &&
                                id == first_of_epoch(epoch_of_entry(id)) + 1);
}

Ledger::Ledger(LedgerState state)
    : balances_(std::move(state.balances)),
      epoch_begin_(first_of_epoch(state.epoch)),
      head_(state.head),
      committed_(state.head) {}

std::int64_t Ledger::next_id() const noexcept { return std::max(head_.id, epoch_begin_) + 1; }

WallTime Ledger::booking_time(WallTime now) const {
    return head_.booked_at - now <= BelievedWall::kDrift ? std::max(now, head_.booked_at) : now;
}

Ledger::Booked Ledger::book(Payment& payment, std::span<const Transfer> transfers,
                            const Authorship& author, Random& random) {
    FG_CHECK(!transfers.empty());
    JournalEntry entry{.payment_id = payment.id,
                       .currency = payment.currency,
                       .token = author.token,
                       .principal = std::string(author.principal),
                       .owner = std::string(author.owner),
                       .key = std::string(author.key),
                       .reason = std::string(author.reason),
                       .booked_at = booking_time(author.now),
                       .movement = next_id()};
    Booked booked{.id = {}, .at = entry.booked_at};
    for (const auto& transfer : transfers) {
        const auto [debit, credit] = accounts_of(transfer.kind);
        entry.id = next_id();
        entry.kind = transfer.kind;
        entry.debit = debit;
        entry.credit = credit;
        entry.amount_minor = transfer.amount_minor;
        entry.public_id = uuid_v7(entry.booked_at, random);
        entry.previous = payment.last_transfer;
        entry.seal = seal_of(entry, head_.seal);
        append(entry);
        if (entry.id == entry.movement) booked.id = entry.public_id;
        payment.last_transfer = entry.id;
    }
    return booked;
}

void Ledger::append(JournalEntry entry) {
    if (entry.booked_at < head_.booked_at) changes_.turns.push_back(entry.id);
    head_.id = entry.id;
    ++head_.entries;
    head_.booked_at = entry.booked_at;
    head_.seal = entry.seal;
    const auto currency = balances_.try_emplace(entry.currency).first;
    moved_.push_back({currency, entry.debit, entry.credit, entry.amount_minor});
    add(moved_.back(), entry.amount_minor);
    changes_.entries.push_back(std::move(entry));
}

void Ledger::add(const Moved& moved, std::int64_t amount_minor) {
    auto& accounts = moved.currency->second;
    balance_of(accounts, moved.debit).debits_minor += amount_minor;
    balance_of(accounts, moved.credit).credits_minor += amount_minor;
}

bool Ledger::has_room(std::string_view currency, std::int64_t amount_minor) const {
    const auto found = balances_.find(currency);
    if (found == balances_.end()) return true;
    const auto& outside = found->second[std::to_underlying(Account::CustomerFunds)];
    return checked_add(outside.debits_minor, amount_minor).has_value();
}

LedgerChanges Ledger::take_changes() {
    auto taken = std::exchange(changes_, {});
    if (taken.is_empty()) return taken;
    std::set<std::pair<std::string_view, Account>> moved;
    for (const auto& entry : taken.entries) {
        moved.emplace(entry.currency, entry.debit);
        moved.emplace(entry.currency, entry.credit);
    }
    for (const auto& [currency, account] : moved) {
        const auto& balance = balances_.find(currency)->second[std::to_underlying(account)];
        taken.balances.push_back({std::string(currency), account, balance});
    }
    if (head_.id - head_.marked >= kMarkEvery) {
        taken.mark = LedgerMark{head_, balances_};
        head_.marked = head_.id;
    }
    return taken;
}

void Ledger::commit() {
    moved_.clear();
    committed_ = head_;
}

void Ledger::roll_back() {
    for (const auto& moved : moved_) add(moved, -moved.amount_minor);
    moved_.clear();
    changes_ = {};
    head_ = committed_;
}

}  // namespace fencegate::storage
