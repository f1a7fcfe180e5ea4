#include "storage/sqlite/journal_reader.hpp"

#include "storage/sqlite/journal_rows.hpp"

#include <algorithm>

namespace fencegate::storage::sqlite {
namespace {

std::string entries_where(const char* condition) {
    return std::string("SELECT ") + kEntryColumns + " FROM transfers WHERE " + condition;
}

std::vector<JournalEntry> all_of(Statement::Row row) {
    std::vector<JournalEntry> entries;
    while (row.next()) entries.push_back(entry_of(row));
    return entries;
}

std::vector<JournalReader::Creation> creations_of(Statement::Row row) {
    std::vector<JournalReader::Creation> creations;
    while (row.next()) creations.push_back({row.integer(0), std::string(row.text(1))});
    return creations;
}

}  // namespace

// INDEXED BY: the table's own order would do too, and reads all that happened in between.
JournalReader::JournalReader(Connection& connection)
    : head_(connection, "SELECT coalesce(max(id), 0) FROM transfers"),
      booked_at_(connection,
                 "SELECT id, created_at_ms FROM transfers WHERE id >= ? ORDER BY id LIMIT 1"),
      created_before_(connection,
                      "SELECT id, payment_id FROM transfers INDEXED BY created_payments "
                      "WHERE kind = 0 AND id < ? AND id >= ? ORDER BY id DESC LIMIT ?"),
      created_after_(connection,
                     "SELECT id, payment_id FROM transfers INDEXED BY created_payments "
                     "WHERE kind = 0 AND id >= ? AND id < ? ORDER BY id LIMIT ?"),
      before_(connection, entries_where("id < ? AND id >= ? ORDER BY id DESC LIMIT ?").c_str()),
      after_(connection, entries_where("id >= ? AND id < ? ORDER BY id LIMIT ?").c_str()),
      find_mark_(connection,
                 "SELECT transfer_id FROM marks WHERE transfer_id <= ? "
                 "ORDER BY transfer_id DESC LIMIT 1"),
      mark_balance_(connection,
                    "SELECT debits, credits FROM mark_balances "
                    "WHERE transfer_id = ? AND currency = ? AND account = ?") {}

EntryRange JournalReader::range_of(const TimeRange& time) {
    EntryRange range;
    {
        auto row = head_.query();
        if (row.next()) range.end = row.integer(0) + 1;
    }
    if (time.to) range.end = first_not_before(*time.to, range.end);
    if (time.from) range.first = first_not_before(*time.from, range.end);
    return range;
}

std::int64_t JournalReader::first_not_before(WallTime time, std::int64_t end) {
    std::int64_t low = 1;  // all below are before `time`
    std::int64_t high = end;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        auto row = booked_at_.query(middle);
        if (!row.next()) return high;
        if (row.integer(1) < time.time_since_epoch().count()) {
            low = std::max(row.integer(0), middle) + 1;
        } else {
            high = middle;
        }
    }
    return std::min(low, end);
}

std::vector<JournalReader::Creation> JournalReader::created_before(std::int64_t beside,
                                                                   const EntryRange& range,
                                                                   int limit) {
    return creations_of(created_before_.query(std::min(beside, range.end), range.first, limit));
}

std::vector<JournalReader::Creation> JournalReader::created_after(std::int64_t beside,
                                                                  const EntryRange& range,
                                                                  int limit) {
    return creations_of(created_after_.query(std::max(beside + 1, range.first), range.end, limit));
}

std::vector<JournalEntry> JournalReader::before(std::int64_t beside, const EntryRange& range,
                                                int limit) {
    return all_of(before_.query(std::min(beside, range.end), range.first, limit));
}

std::vector<JournalEntry> JournalReader::after(std::int64_t beside, const EntryRange& range,
                                               int limit) {
    return all_of(after_.query(std::max(beside + 1, range.first), range.end, limit));
}

std::optional<JournalEntry> JournalReader::find(std::int64_t id) {
    auto row = after_.query(id, id + 1, 1);
    if (!row.next()) return std::nullopt;
    return entry_of(row);
}

JournalReader::Marked JournalReader::marked_until(std::int64_t id, Account account,
                                                  std::string_view currency) {
    Marked marked;
    {
        auto row = find_mark_.query(id);
        if (!row.next()) return marked;
        marked.id = row.integer(0);
    }
    auto row = mark_balance_.query(marked.id, currency, static_cast<std::int64_t>(account));
    if (row.next()) {
        marked.debits_minor = row.integer(0);
        marked.credits_minor = row.integer(1);
    }
    return marked;
}

}  // namespace fencegate::storage::sqlite
