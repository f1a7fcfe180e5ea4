#include "storage/documents/ledger_documents.hpp"

#include "base/hex.hpp"
#include "storage/money/money.hpp"

#include <algorithm>

namespace fencegate::storage {
namespace {

constexpr std::size_t kEntryBytes = 640;  // a first guess that saves growing

void write_token(JsonWriter& json, const JournalEntry& entry) {
    json.key("fencing_token");
    entry.token ? json.integer(entry.token->value()) : json.null();
}

// Who wrote it; the gateway itself is nobody.
void write_holder(JsonWriter& json, const JournalEntry& entry) {
    json.key("holder");
    if (entry.principal.empty()) {
        json.null();
        return;
    }
    json.begin_object()
        .member("principal", entry.principal)
        .member("owner", entry.owner)
        .end_object();
}

void write_transfer(JsonWriter& json, const JournalEntry& entry) {
    json.begin_object()
        .member("id", entry.id)
        .member("kind", kind_name(entry.kind))
        .member("amount", entry.amount_minor)
        .end_object();
}

void write_event(JsonWriter& json, const JournalEntry& first) {
    json.begin_object()
        .member("id", first.id)
        .member("type", event_type(first))
        .member("payment", first.payment_id)
        .member("currency", first.currency);
    write_token(json, first);
    write_holder(json, first);
    json.member("idempotency_key", first.key)
        .member("reason", first.reason)
        .member("booked_at", rfc3339(first.booked_at).text)
        .key("transfers")
        .begin_array();
}

}  // namespace

std::string decimal_text(std::int64_t amount_minor, std::string_view currency) {
    const auto* known = find_currency(currency);
    // One that has been withdrawn since: whole minor units are exact whatever it was.
    return known != nullptr ? format_amount(amount_minor, *known) : std::to_string(amount_minor);
}

void write_cursors(JsonWriter& json, std::string_view next_cursor,
                   std::string_view previous_cursor) {
    json.member_bool("has_more", !next_cursor.empty());
    if (!next_cursor.empty()) json.member("next_cursor", next_cursor);
    if (!previous_cursor.empty()) json.member("previous_cursor", previous_cursor);
}

std::string accounts_document(const std::vector<AccountView>& accounts) {
    std::string out;
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& [currency, account, debits, credits] : accounts) {
        json.begin_object()
            .member("currency", currency)
            .member("account", account_name(account))
            .member("state", account == Account::FundsHeld ? "pending" : "posted")
            .member("debits", debits)
            .member("credits", credits)
            .member("balance", credits - debits)
            .member("debits_decimal", decimal_text(debits, currency))
            .member("credits_decimal", decimal_text(credits, currency))
            .member("balance_decimal", decimal_text(credits - debits, currency))
            .end_object();
    }
    json.end_array().member_bool("has_more", false).end_object();
    return out;
}

void write_entry_members(JsonWriter& json, const JournalEntry& entry) {
    json.member("id", entry.id)
        .member("movement", entry.movement)
        .member("kind", kind_name(entry.kind))
        .member("debit_account", account_name(entry.debit))
        .member("credit_account", account_name(entry.credit))
        .member("amount", entry.amount_minor)
        .member("currency", entry.currency)
        .member("amount_decimal", decimal_text(entry.amount_minor, entry.currency))
        .member("payment", entry.payment_id);
    write_token(json, entry);
    write_holder(json, entry);
    json.member("idempotency_key", entry.key)
        .member("reason", entry.reason)
        .member("booked_at", rfc3339(entry.booked_at).text)
        .member("seal", to_hex(entry.seal));
}

std::string entries_document(const std::vector<JournalEntry>& entries, std::string_view next_cursor,
                             std::string_view previous_cursor) {
    std::string out;
    out.reserve(kEntryBytes * (entries.size() + 1));
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    for (const auto& entry : entries) {
        json.begin_object();
        write_entry_members(json, entry);
        json.end_object();
    }
    json.end_array();
    write_cursors(json, next_cursor, previous_cursor);
    json.end_object();
    return out;
}

std::string events_document(const std::vector<JournalEntry>& entries, std::int64_t next_after,
                            bool has_more) {
    std::string out;
    out.reserve(kEntryBytes * (entries.size() + 1));
    JsonWriter json(out);
    json.begin_object().key("data").begin_array();
    std::int64_t open = 0;
    for (const auto& entry : entries) {
        if (entry.movement != open) {
            if (open != 0) json.end_array().end_object();
            open = entry.movement;
            write_event(json, entry);
        }
        write_transfer(json, entry);
    }
    if (open != 0) json.end_array().end_object();
    json.end_array()
        .member_bool("has_more", has_more)
        .member("next_after", next_after)
        .end_object();
    return out;
}

std::string consumer_document(const Consumer& consumer) {
    std::string out;
    JsonWriter json(out);
    json.begin_object()
        .member("name", consumer.name)
        .member("position", consumer.position)
        .member("acknowledged_at", rfc3339(consumer.acknowledged_at).text)
        .end_object();
    return out;
}

}  // namespace fencegate::storage
