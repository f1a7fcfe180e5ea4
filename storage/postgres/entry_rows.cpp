// The journal, by place and time.
#include "storage/postgres/postgres_rows.hpp"

#include <algorithm>

namespace fencegate::storage::postgres {
namespace {

#define FG_ENTRY_COLUMNS                                                                        \
    "id, payment_id, kind, debit_account, credit_account, amount, currency, public_id, token, " \
    "principal, owner, key, reason, created_at_ms, previous, movement, seal"

// The nearest of what `select` finds in the ranges $2 (first) to $3 (end), beside $1: some of each
// range, then some of those. A range is read by the key and no further than the limit $4.
#define FG_NEWER(select, filter)                                                                   \
    "SELECT found.* FROM unnest($2, $3) AS part(first, ending) CROSS JOIN LATERAL (SELECT " select \
    " FROM transfers WHERE " filter                                                                \
    "id > $1 AND id >= part.first AND id < part.ending ORDER BY id LIMIT $4) AS found "            \
    "ORDER BY found.id LIMIT $4"
#define FG_OLDER(select, filter)                                                                   \
    "SELECT found.* FROM unnest($2, $3) AS part(first, ending) CROSS JOIN LATERAL (SELECT " select \
    " FROM transfers WHERE " filter                                                                \
    "id < $1 AND id >= part.first AND id < part.ending ORDER BY id DESC LIMIT $4) AS found "       \
    "ORDER BY found.id DESC LIMIT $4"

template <class Bytes>
void copy_exactly(Blob from, Bytes& to) {
    if (from.size() == to.size()) std::ranges::copy(from, to.begin());
}

JournalEntry entry_of(const Rows& row) {
    JournalEntry entry;
    int at = 0;
    entry.id = row.integer(at++);
    entry.payment_id = row.text(at++);
    entry.kind = static_cast<TransferKind>(row.integer(at++));
    entry.debit = static_cast<Account>(row.integer(at++));
    entry.credit = static_cast<Account>(row.integer(at++));
    entry.amount_minor = row.integer(at++);
    entry.currency = row.text(at++);
    copy_exactly(row.blob(at++), entry.public_id.bytes);
    entry.token = row.token(at++);
    entry.principal = row.text(at++);
    entry.owner = row.text(at++);
    entry.key = row.text(at++);
    entry.reason = row.text(at++);
    entry.booked_at = WallTime(std::chrono::milliseconds(row.integer(at++)));
    entry.previous = row.integer(at++);
    entry.movement = row.integer(at++);
    copy_exactly(row.blob(at), entry.seal);
    return entry;
}

std::vector<JournalEntry> all_of(Rows row) {
    std::vector<JournalEntry> entries;
    while (row.next()) entries.push_back(entry_of(row));
    return entries;
}

std::vector<EntryRows::Creation> creations_of(Rows row) {
    std::vector<EntryRows::Creation> creations;
    while (row.next()) creations.push_back({row.integer(0), std::string(row.text(1))});
    return creations;
}

}  // namespace

// The search halves the stretch until one id is left; times rise with the ids in it.
EntryRows::EntryRows(Connection& connection)
    : connection_(connection),
      head_("SELECT coalesce(max(id), 0) FROM transfers"),
      turns_("SELECT transfer_id FROM clock_turns ORDER BY transfer_id"),
      search_(
          "WITH RECURSIVE search(low, high) AS ("
          " VALUES ($1, $2)"
          " UNION ALL"
          " SELECT CASE WHEN middle.is_before THEN middle.id + 1 ELSE low END,"
          " CASE WHEN middle.is_before THEN high ELSE low + (high - low) / 2 END"
          " FROM search LEFT JOIN LATERAL ("
          "  SELECT id, id < $2 AND created_at_ms < $3 AS is_before FROM transfers"
          "  WHERE id >= low + (high - low) / 2 ORDER BY id LIMIT 1) AS middle ON true"
          " WHERE low < high) "
          "SELECT low FROM search WHERE low >= high"),
      created_before_(FG_OLDER("id, payment_id", "kind = 0 AND ")),
      created_after_(FG_NEWER("id, payment_id", "kind = 0 AND ")),
      before_(FG_OLDER(FG_ENTRY_COLUMNS, "")),
      after_(FG_NEWER(FG_ENTRY_COLUMNS, "")),
      find_("SELECT " FG_ENTRY_COLUMNS " FROM transfers WHERE id = $1"),
      marked_(
          "SELECT newest.transfer_id, coalesce(debits, 0), coalesce(credits, 0) "
          "FROM (SELECT transfer_id FROM marks WHERE transfer_id <= $1 "
          "ORDER BY transfer_id DESC LIMIT 1) AS newest LEFT JOIN mark_balances "
          "ON mark_balances.transfer_id = newest.transfer_id AND currency = $2 AND account = $3") {}

EntryRanges EntryRows::ranges_of(const TimeRange& time) {
    EntryRange whole;
    if (auto row = connection_.ask(head_); row.next()) whole.end = row.integer(0) + 1;
    if (!time.from && !time.to) return {whole};
    auto ends = turns();
    ends.push_back(whole.end);
    EntryRanges ranges;
    EntryRange stretch;
    for (const auto end : ends) {
        stretch.end = end;
        EntryRange found = stretch;
        if (time.to) found.end = first_not_before(*time.to, stretch);
        if (time.from) found.first = first_not_before(*time.from, {stretch.first, found.end});
        stretch.first = end;
        if (found.first >= found.end) continue;
        if (!ranges.empty() && ranges.back().end == found.first) {
            ranges.back().end = found.end;
        } else {
            ranges.push_back(found);
        }
    }
    return ranges;
}

std::vector<std::int64_t> EntryRows::turns() {
    std::vector<std::int64_t> turns;
    auto row = connection_.ask(turns_);
    while (row.next()) turns.push_back(row.integer(0));
    return turns;
}

std::int64_t EntryRows::first_not_before(WallTime time, EntryRange stretch) {
    auto row = connection_.ask(search_, stretch.first, stretch.end,
                               std::int64_t{time.time_since_epoch().count()});
    return row.next() ? row.integer(0) : stretch.end;
}

Rows EntryRows::ask(Statement& statement, std::int64_t beside, const EntryRanges& ranges,
                    int limit) {
    Integers first;
    Integers end;
    for (const auto& range : ranges) {
        first.add(range.first);
        end.add(range.end);
    }
    return connection_.ask(statement, beside, first, end, std::int64_t{limit});
}

std::vector<EntryRows::Creation> EntryRows::created_before(std::int64_t beside,
                                                           const EntryRanges& ranges, int limit) {
    return creations_of(ask(created_before_, beside, ranges, limit));
}

std::vector<EntryRows::Creation> EntryRows::created_after(std::int64_t beside,
                                                          const EntryRanges& ranges, int limit) {
    return creations_of(ask(created_after_, beside, ranges, limit));
}

std::vector<JournalEntry> EntryRows::before(std::int64_t beside, const EntryRanges& ranges,
                                            int limit) {
    return all_of(ask(before_, beside, ranges, limit));
}

std::vector<JournalEntry> EntryRows::after(std::int64_t beside, const EntryRanges& ranges,
                                           int limit) {
    return all_of(ask(after_, beside, ranges, limit));
}

std::optional<JournalEntry> EntryRows::find(std::int64_t id) {
    auto row = connection_.ask(find_, id);
    if (!row.next()) return std::nullopt;
    return entry_of(row);
}

EntryRows::Marked EntryRows::marked_until(std::int64_t id, Account account,
                                          std::string_view currency) {
    auto row = connection_.ask(marked_, id, currency, static_cast<std::int64_t>(account));
    if (!row.next()) return {};
    return {.id = row.integer(0), .debits_minor = row.integer(1), .credits_minor = row.integer(2)};
}

}  // namespace fencegate::storage::postgres
