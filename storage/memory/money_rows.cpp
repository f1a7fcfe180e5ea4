// Payments, the journal and what is read of it.
#include "storage/memory/memory_rows.hpp"

#include <algorithm>
#include <limits>
#include <ranges>

namespace fencegate::storage::memory {
namespace {

bool is_within(std::int64_t id, const EntryRanges& ranges) {
    return std::ranges::any_of(
        ranges, [&](const EntryRange& range) { return range.first <= id && id < range.end; });
}

bool is_booked_in(const JournalEntry& entry, const TimeRange& time) {
    return (!time.from || entry.booked_at >= *time.from) &&
           (!time.to || entry.booked_at < *time.to);
}

// The nearest `limit` of `entries` beside `beside` that `take` makes something of.
template <class Row, class Entries, class Take>
std::vector<Row> nearest(const Entries& entries, const EntryRanges& ranges, int limit, Take take) {
    std::vector<Row> rows;
    for (const auto& [id, entry] : entries) {
        if (rows.size() == static_cast<std::size_t>(limit)) break;
        if (!is_within(id, ranges)) continue;
        if (auto row = take(entry)) rows.push_back(*std::move(row));
    }
    return rows;
}

auto older(const LedgerRows& ledger, std::int64_t beside) {
    const auto& all = ledger.entries.rows();
    return std::ranges::subrange(all.begin(), all.lower_bound(beside)) | std::views::reverse;
}

auto newer(const LedgerRows& ledger, std::int64_t beside) {
    const auto& all = ledger.entries.rows();
    return std::ranges::subrange(all.upper_bound(beside), all.end());
}

std::optional<JournalEntry> whole(const JournalEntry& entry) { return entry; }

std::optional<EntryRows::Creation> creation(const JournalEntry& entry) {
    if (entry.kind != TransferKind::Authorize) return std::nullopt;
    return EntryRows::Creation{entry.id, entry.payment_id};
}

}  // namespace

LedgerState LedgerRows::read() {
    LedgerState state;
    if (!transaction_.goes_on()) return state;
    if (!entries.rows().empty()) {
        const auto& newest = entries.rows().rbegin()->second;
        state.head = {.id = newest.id,
                      .entries = static_cast<std::int64_t>(entries.rows().size()),
                      .marked = marks.rows().empty() ? 0 : marks.rows().rbegin()->first,
                      .booked_at = newest.booked_at,
                      .seal = newest.seal};
    }
    for (const auto& [key, balance] : balances_.rows())
        state.balances[key.first].at(std::to_underlying(key.second)) = balance;
    return state;
}

void LedgerRows::write(const LedgerChanges& changes) {
    for (const auto& entry : changes.entries) {
        if (entries.find(entry.id) != nullptr) return transaction_.refuse("the entry was booked");
        entries.put(entry.id, entry);
    }
    for (const auto entry : changes.turns) turns.put(entry, true);
    for (const auto& [currency, account, balance] : changes.balances)
        balances_.put({currency, account}, balance);
    if (changes.mark) marks.put(changes.mark->head.id, changes.mark->balances);
}

void PaymentRows::write(const Changes& changes) {
    for (const auto& payment : changes.new_payments) {
        if (payments_.find(payment.id) != nullptr) return transaction_.refuse("the payment exists");
        payments_.put(payment.id, payment);
    }
    for (const auto& payment : changes.payments) {
        if (payments_.find(payment.id) != nullptr) payments_.put(payment.id, payment);
    }
    for (const auto& [reference, principal, payment_id] : changes.references) {
        if (references_.find({reference, principal}) != nullptr)
            return transaction_.refuse("the reference exists");
        references_.put({reference, principal}, payment_id);
    }
}

std::optional<Payment> PaymentRows::find(std::string_view id) {
    const auto* found = transaction_.goes_on() ? payments_.find(std::string(id)) : nullptr;
    if (found == nullptr) return std::nullopt;
    return *found;
}

std::optional<std::string> PaymentRows::find_reference(std::string_view reference,
                                                       std::string_view principal) {
    const auto* found = transaction_.goes_on()
                            ? references_.find({std::string(reference), std::string(principal)})
                            : nullptr;
    if (found == nullptr) return std::nullopt;
    return *found;
}

std::vector<Hold> PaymentRows::holds_before(std::int64_t hour, const Hold& after, int limit) {
    std::vector<Hold> holds;
    if (!transaction_.goes_on()) return holds;
    const auto place = [](const Hold& hold) { return std::pair(hold.hour, hold.payment_id); };
    for (const auto& [id, payment] : payments_.rows()) {
        Hold hold{payment.authorized_hour, id};
        if (payment.state == PaymentState::Authorized && hold.hour < hour &&
            place(hold) > place(after))
            holds.push_back(std::move(hold));
    }
    std::ranges::sort(holds, {}, place);
    const auto most = std::min(holds.size(), static_cast<std::size_t>(limit));
    holds.resize(most);
    return holds;
}

std::optional<std::vector<Refund>> PaymentRows::refunds(const Payment& payment, std::int64_t before,
                                                        int limit) {
    std::vector<Refund> refunds;
    if (!transaction_.goes_on()) return refunds;
    auto at = payment.last_transfer;
    if (before != 0) {
        const auto* entry = ledger_.entries.find(before);
        if (entry == nullptr || entry->payment_id != payment.id) return std::nullopt;
        at = entry->previous;
    }
    for (const auto* entry = ledger_.entries.find(at);
         entry != nullptr && refunds.size() < static_cast<std::size_t>(limit);
         entry = ledger_.entries.find(entry->previous)) {
        if (entry->kind != TransferKind::Refund) continue;
        refunds.push_back({.transfer_id = entry->id,
                           .id = entry->public_id,
                           .amount_minor = entry->amount_minor,
                           .reason = entry->reason,
                           .token = entry->token,
                           .created_at = entry->booked_at});
    }
    return refunds;
}

EntryRanges EntryRows::ranges_of(const TimeRange& time) {
    EntryRanges ranges;
    if (!transaction_.goes_on()) return ranges;
    const auto& all = ledger_.entries.rows();
    if (!time.from && !time.to)
        return {{.first = 1, .end = all.empty() ? 1 : all.rbegin()->first + 1}};
    bool is_open = false;
    for (const auto& [id, entry] : all) {
        const bool is_in = is_booked_in(entry, time);
        if (is_in && !is_open) ranges.push_back({.first = id, .end = id + 1});
        if (is_in) ranges.back().end = id + 1;
        is_open = is_in;
    }
    return ranges;
}

std::vector<EntryRows::Creation> EntryRows::created_before(std::int64_t beside,
                                                           const EntryRanges& ranges, int limit) {
    if (!transaction_.goes_on()) return {};
    return nearest<Creation>(older(ledger_, beside), ranges, limit, creation);
}

std::vector<EntryRows::Creation> EntryRows::created_after(std::int64_t beside,
                                                          const EntryRanges& ranges, int limit) {
    if (!transaction_.goes_on()) return {};
    return nearest<Creation>(newer(ledger_, beside), ranges, limit, creation);
}

std::vector<JournalEntry> EntryRows::before(std::int64_t beside, const EntryRanges& ranges,
                                            int limit) {
    if (!transaction_.goes_on()) return {};
    return nearest<JournalEntry>(older(ledger_, beside), ranges, limit, whole);
}

std::vector<JournalEntry> EntryRows::after(std::int64_t beside, const EntryRanges& ranges,
                                           int limit) {
    if (!transaction_.goes_on()) return {};
    return nearest<JournalEntry>(newer(ledger_, beside), ranges, limit, whole);
}

std::optional<JournalEntry> EntryRows::find(std::int64_t id) {
    const auto* found = transaction_.goes_on() ? ledger_.entries.find(id) : nullptr;
    if (found == nullptr) return std::nullopt;
    return *found;
}

EntryRows::Marked EntryRows::marked_until(std::int64_t id, Account account,
                                          std::string_view currency) {
    const auto& marks = ledger_.marks.rows();
    const auto behind = marks.upper_bound(id);
    if (!transaction_.goes_on() || behind == marks.begin()) return {};
    const auto& [at, balances] = *std::prev(behind);
    const auto found = balances.find(currency);
    if (found == balances.end()) return {.id = at};
    const auto& balance = found->second.at(std::to_underlying(account));
    return {.id = at, .debits_minor = balance.debits_minor, .credits_minor = balance.credits_minor};
}

}  // namespace fencegate::storage::memory
