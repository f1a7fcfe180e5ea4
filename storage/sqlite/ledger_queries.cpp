#include "storage/sqlite/ledger_queries.hpp"

#include "storage/ledger_documents.hpp"
#include "storage/sqlite/page_scan.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

bool is_wanted(const JournalEntry& entry, const ListEntries& list) {
    return (!list.account || entry.debit == *list.account || entry.credit == *list.account) &&
           (list.currency.empty() || entry.currency == list.currency);
}

}  // namespace

Answer LedgerQueries::read(const ReadAccounts& read) {
    std::vector<AccountView> views;
    for (const auto& [currency, accounts] : tables_.journal.balances()) {
        if (!read.currency.empty() && currency != read.currency) continue;
        for (std::size_t account = 0; account < accounts.size(); ++account)
            views.push_back({currency, static_cast<Account>(account),
                             accounts[account].debits_minor, accounts[account].credits_minor});
    }
    Answer answer;
    answer.body = accounts_document(views);
    return answer;
}

Answer LedgerQueries::read(const ListEntries& list) {
    if (!list.payment_id.empty()) return of_payment(list);
    auto& entries = tables_.entries;
    const auto range = entries.range_of(list.booked);
    std::vector<JournalEntry> found;
    Answer answer;
    scan_page(
        list.place, list.limit, answer,
        [&](bool is_older, std::int64_t beside, int limit) {
            return is_older ? entries.before(beside, range, limit)
                            : entries.after(beside, range, limit);
        },
        [](const JournalEntry& entry) { return entry.id; },
        [&](const JournalEntry& entry) {
            if (!is_wanted(entry, list)) return std::size_t{0};
            found.push_back(entry);
            return kRowBytes;
        });
    if (list.place.side == Place::Side::Newer) std::ranges::reverse(found);
    answer.body = entries_document(found, answer.next_cursor, answer.previous_cursor);
    return answer;
}

// Along the chain of the payment, which leads from the newest of its entries to the first.
Answer LedgerQueries::of_payment(const ListEntries& list) {
    const auto payment = tables_.payments.find(list.payment_id);
    if (!payment) return refusal({ErrorCode::PaymentNotFound, "No payment has this id.", {}, -1});
    auto& entries = tables_.entries;
    const auto range = entries.range_of(list.booked);
    auto next = payment->last_transfer;
    if (list.place.side == Place::Side::Older) {
        const auto beside = entries.find(list.place.entry);
        if (!beside || beside->payment_id != list.payment_id)
            return refusal({ErrorCode::InvalidArgument,
                            "cursor must be the next_cursor of an earlier page of this payment.",
                            {},
                            -1});
        next = beside->previous;
    }
    std::vector<JournalEntry> found;
    std::int64_t last = 0;
    for (int looked_at = 0; next >= range.first && looked_at < kRowsLookedAt &&
                            found.size() < static_cast<std::size_t>(list.limit);
         ++looked_at) {
        auto entry = entries.find(next);
        if (!entry) break;
        last = next;
        next = entry->previous;
        if (last < range.end && is_wanted(*entry, list)) found.push_back(*std::move(entry));
    }
    Answer answer;
    if (last != 0 && next >= range.first)
        answer.next_cursor = place_text({.side = Place::Side::Older, .entry = last});
    answer.body = entries_document(found, answer.next_cursor, {});
    return answer;
}

// The two ends, and what is known of the balance at the mark before them.
StatementPage LedgerQueries::begin_statement(const ReadStatement& read) {
    const auto range = tables_.entries.range_of(read.booked);
    const auto marked = tables_.entries.marked_until(range.first - 1, read.account, read.currency);
    StatementPage page{.place = {.looked_at = marked.id,
                                 .first = range.first,
                                 .last = std::max(range.end, range.first) - 1},
                       .opening_debits_minor = marked.debits_minor,
                       .opening_credits_minor = marked.credits_minor};
    return page;
}

Answer LedgerQueries::read(const ReadStatement& read) {
    auto page = std::make_shared<StatementPage>(read.place ? StatementPage{.place = *read.place}
                                                           : begin_statement(read));
    auto& place = page->place;
    const auto rows =
        tables_.entries.after(place.looked_at, {.first = 1, .end = place.last + 1}, kStatementRows);
    for (const auto& entry : rows) {
        place.looked_at = entry.id;
        const bool is_debit = entry.debit == read.account;
        if (entry.currency != read.currency || (!is_debit && entry.credit != read.account))
            continue;
        if (entry.id >= place.first) {
            page->entries.push_back(entry);
        } else {
            (is_debit ? page->opening_debits_minor : page->opening_credits_minor) +=
                entry.amount_minor;
        }
    }
    page->is_last =
        rows.size() < static_cast<std::size_t>(kStatementRows) || place.looked_at >= place.last;
    page->is_open = page->is_last || place.looked_at + 1 >= place.first;
    Answer answer;
    answer.statement = std::move(page);
    return answer;
}

}  // namespace fencegate::storage::sqlite
