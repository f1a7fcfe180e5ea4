#include "storage/commands/ledger_queries.hpp"

#include "storage/commands/page_scan.hpp"
#include "storage/documents/ledger_documents.hpp"

#include <algorithm>
#include <utility>

namespace fencegate::storage {
namespace {

bool is_wanted(const JournalEntry& entry, const ListEntries& list) {
    return (!list.account || entry.debit == *list.account || entry.credit == *list.account) &&
           (list.currency.empty() || entry.currency == list.currency);
}

bool is_within(std::int64_t id, const EntryRanges& ranges) {
    return std::ranges::any_of(
        ranges, [&](const EntryRange& range) { return range.first <= id && id < range.end; });
}

// Along the chain of the payment, which leads from the newest of its entries to the first.
Answer of_payment(Unit& unit, const ListEntries& list) {
    const auto* payment = unit.payments.find(list.payment_id);
    if (payment == nullptr)
        return refusal({ErrorCode::PaymentNotFound, "No payment has this id.", {}, -1});
    auto& entries = unit.flushed().entries;
    const auto ranges = entries.ranges_of(list.booked);
    const auto first = ranges.empty() ? payment->last_transfer + 1 : ranges.front().first;
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
    for (int looked_at = 0; next >= first && looked_at < kRowsLookedAt &&
                            found.size() < static_cast<std::size_t>(list.limit);
         ++looked_at) {
        auto entry = entries.find(next);
        if (!entry) break;
        last = next;
        next = entry->previous;
        if (is_within(last, ranges) && is_wanted(*entry, list)) found.push_back(*std::move(entry));
    }
    Answer answer;
    if (last != 0 && next >= first)
        answer.next_cursor = place_text({.side = Place::Side::Older, .entry = last});
    answer.body = entries_document(found, answer.next_cursor, {});
    return answer;
}

// What is booked before the range opens it, whatever its id; of that, a mark knows all up to it.
StatementPage begin_statement(Unit& unit, const ReadStatement& read) {
    using Does = StatementStep::Does;
    auto& entries = unit.flushed().entries;
    StatementPage page;
    auto& steps = page.place.steps;
    if (read.booked.from) {
        for (const auto& range : entries.ranges_of({.to = read.booked.from})) {
            const auto before = entries.marked_until(range.first - 1, read.account, read.currency);
            const auto inside = entries.marked_until(range.end - 1, read.account, read.currency);
            if (inside.id < range.first) {
                steps.push_back({Does::Add, range.first, range.end});
                continue;
            }
            page.opening_debits_minor += inside.debits_minor - before.debits_minor;
            page.opening_credits_minor += inside.credits_minor - before.credits_minor;
            steps.push_back({Does::TakeOff, before.id + 1, range.first});
            steps.push_back({Does::Add, inside.id + 1, range.end});
        }
    }
    for (const auto& range : entries.ranges_of(read.booked))
        steps.push_back({Does::Tell, range.first, range.end});
    return page;
}

// Reads `limit` rows of a step at most. Returns how many they were.
int take_step(Unit& unit, const ReadStatement& read, StatementStep& step, int limit,
              StatementPage& page) {
    using Does = StatementStep::Does;
    const auto rows =
        unit.flushed().entries.after(step.next - 1, {{.first = step.next, .end = step.end}}, limit);
    const auto count = static_cast<int>(rows.size());
    step.next = count < limit ? step.end : rows.back().id + 1;
    for (const auto& entry : rows) {
        const bool is_debit = entry.debit == read.account;
        if (entry.currency != read.currency || (!is_debit && entry.credit != read.account))
            continue;
        if (step.does == Does::Tell) {
            page.entries.push_back(entry);
        } else {
            (is_debit ? page.opening_debits_minor : page.opening_credits_minor) +=
                step.does == Does::Add ? entry.amount_minor : -entry.amount_minor;
        }
    }
    return count;
}

}  // namespace

Answer carry_out(Unit& unit, const Command&, const ReadAccounts& read) {
    std::vector<AccountView> views;
    for (const auto& [currency, accounts] : unit.ledger.balances()) {
        if (!read.currency.empty() && currency != read.currency) continue;
        for (std::size_t account = 0; account < accounts.size(); ++account)
            views.push_back({currency, static_cast<Account>(account),
                             accounts[account].debits_minor, accounts[account].credits_minor});
    }
    Answer answer;
    answer.body = accounts_document(views);
    return answer;
}

Answer carry_out(Unit& unit, const Command&, const ListEntries& list) {
    if (!list.payment_id.empty()) return of_payment(unit, list);
    auto& entries = unit.flushed().entries;
    const auto ranges = entries.ranges_of(list.booked);
    std::vector<JournalEntry> found;
    Answer answer;
    scan_page(
        list.place, list.limit, answer,
        [&](bool is_older, std::int64_t beside, int limit) {
            return is_older ? entries.before(beside, ranges, limit)
                            : entries.after(beside, ranges, limit);
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

Answer carry_out(Unit& unit, const Command&, const ReadStatement& read) {
    auto page = std::make_shared<StatementPage>(read.place ? StatementPage{.place = *read.place}
                                                           : begin_statement(unit, read));
    auto& steps = page->place.steps;
    int left = kStatementRows;
    auto step = steps.begin();
    for (; step != steps.end() && left > 0; ++step) {
        left -= take_step(unit, read, *step, left, *page);
        if (step->next < step->end) break;
    }
    steps.erase(steps.begin(), step);
    page->is_last = steps.empty();
    page->is_open = page->is_last || steps.front().does == StatementStep::Does::Tell;
    Answer answer;
    answer.statement = std::move(page);
    return answer;
}

}  // namespace fencegate::storage
