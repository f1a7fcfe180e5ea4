#pragma once
// The JSON of the ledger: accounts, entries, events and who reads them.
// Thread rule: pure functions.

#include "base/json_writer.hpp"
#include "storage/model/consumer.hpp"
#include "storage/money/journal.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage {

struct AccountView {
    std::string_view currency;
    Account account;
    std::int64_t debits_minor;
    std::int64_t credits_minor;
};

[[nodiscard]] std::string accounts_document(const std::vector<AccountView>& accounts);
[[nodiscard]] std::string entries_document(const std::vector<JournalEntry>& entries,
                                           std::string_view next_cursor,
                                           std::string_view previous_cursor);

// `entries` of whole movements, in order, each of which is an event.
[[nodiscard]] std::string events_document(const std::vector<JournalEntry>& entries,
                                          std::int64_t next_after, bool has_more);
[[nodiscard]] std::string consumer_document(const Consumer& consumer);

// Members of an object that is one entry.
void write_entry_members(JsonWriter& json, const JournalEntry& entry);

// has_more and the cursors that are not empty: what ends the document of a page.
void write_cursors(JsonWriter& json, std::string_view next_cursor,
                   std::string_view previous_cursor);

// The exact amount in major units.
[[nodiscard]] std::string decimal_text(std::int64_t amount_minor, std::string_view currency);

}  // namespace fencegate::storage
