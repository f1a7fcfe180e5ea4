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

Ledger::Booked Ledger::post(Payment& payment, std::span<const TransferDraft> drafts,
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

void Ledger::append(JournalEntry entry) {
    if (entry.booked_at < head_.booked_at) changes_.turns.push_back(entry.id);
    head_.id = entry.id;
    ++head_.entries;
    head_.booked_at = entry.booked_at;
    head_.seal = entry.seal;
    const auto currency = balances_.try_emplace(entry.currency).first;
    postings_.push_back({currency, entry.debit, entry.credit, entry.amount_minor});
    add(postings_.back(), entry.amount_minor);
    changes_.entries.push_back(std::move(entry));
}

void Ledger::add(const Posting& posting, std::int64_t amount_minor) {
    auto& accounts = posting.currency->second;
    balance_of(accounts, posting.debit).debits_minor += amount_minor;
    balance_of(accounts, posting.credit).credits_minor += amount_minor;
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
    postings_.clear();
    committed_ = head_;
}

void Ledger::roll_back() {
    for (const auto& posting : postings_) add(posting, -posting.amount_minor);
    postings_.clear();
    changes_ = {};
    head_ = committed_;
}

}  // namespace fencegate::storage
