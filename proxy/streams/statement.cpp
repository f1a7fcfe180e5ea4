#include "proxy/streams/statement.hpp"

#include "storage/documents/ledger_documents.hpp"

namespace fencegate::proxy {
namespace {

constexpr std::string_view kCsvHead =
    "type,entry,movement,booked_at,kind,payment,debit,credit,balance,currency,fencing_token,"
    "principal,owner,idempotency_key,reason,lines\r\n";

// A cell by us: no quote, comma or line break is in it.
void append_cell(std::string_view text, std::string& out) { out.append(text).append(","); }

// A cell by a client. https://owasp.org/www-community/attacks/CSV_Injection
void append_foreign_cell(std::string_view text, std::string& out) {
    const bool is_formula = !text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) !=
                                                 std::string_view::npos;
    if (!is_formula && text.find_first_of("\",\r\n") == std::string_view::npos) {
        out.append(text).append(",");
        return;
    }
    out.append(is_formula ? "\"'" : "\"");
    for (const char letter : text) {
        out += letter;
        if (letter == '"') out += '"';
    }
    out.append("\",");
}

}  // namespace

struct StatementWriter::Cells {
    std::string_view type;
    const storage::JournalEntry* entry = nullptr;  // nullptr: the opening or closing line
    std::string booked_at{};
    std::string debit{};
    std::string credit{};
    std::string lines{};
};

std::string_view StatementWriter::content_type() const noexcept {
    return request_.format == StatementFormat::Csv ? "text/csv; charset=utf-8; header=present"
                                                   : "application/x-ndjson";
}

std::string StatementWriter::decimal(std::int64_t amount_minor) const {
    return storage::decimal_text(amount_minor, request_.first.currency);
}

std::string StatementWriter::time_text(const std::optional<WallTime>& time) const {
    return time ? std::string(rfc3339(*time).text) : std::string();
}

void StatementWriter::take(const storage::StatementPage& page, std::string& out) {
    request_.first.place = page.place;
    opening_debits_minor_ += page.opening_debits_minor;
    opening_credits_minor_ += page.opening_credits_minor;
    if (page.is_open && !is_open_) {
        is_open_ = true;
        balance_minor_ = opening_credits_minor_ - opening_debits_minor_;
        write_opening(out);
    }
    for (const auto& entry : page.entries) write_entry(entry, out);
    if (!page.is_last) return;
    is_complete_ = true;
    write_closing(out);
}

void StatementWriter::write_opening(std::string& out) {
    const auto& asked = request_.first;
    if (request_.format == StatementFormat::Csv) {
        out.append(kCsvHead);
        write_row({.type = "opening", .booked_at = time_text(asked.booked.from)}, out);
        return;
    }
    JsonWriter json(out);
    json.begin_object()
        .member("type", "opening")
        .member("account", storage::account_name(asked.account))
        .member("currency", asked.currency);
    if (asked.booked.from) json.member("from", time_text(asked.booked.from));
    if (asked.booked.to) json.member("to", time_text(asked.booked.to));
    json.member("balance", balance_minor_)
        .member("balance_decimal", decimal(balance_minor_))
        .end_object();
    out.append("\n");
}

void StatementWriter::write_entry(const storage::JournalEntry& entry, std::string& out) {
    const bool is_debit = entry.debit == request_.first.account;
    (is_debit ? debits_minor_ : credits_minor_) += entry.amount_minor;
    balance_minor_ += is_debit ? -entry.amount_minor : entry.amount_minor;
    ++lines_;
    if (request_.format == StatementFormat::Csv) {
        const auto amount = decimal(entry.amount_minor);
        write_row({.type = "entry",
                   .entry = &entry,
                   .booked_at = time_text(entry.booked_at),
                   .debit = is_debit ? amount : std::string(),
                   .credit = is_debit ? std::string() : amount},
                  out);
        return;
    }
    JsonWriter json(out);
    json.begin_object().member("type", "entry").member("side", is_debit ? "debit" : "credit");
    storage::write_entry_members(json, entry);
    json.member("balance", balance_minor_)
        .member("balance_decimal", decimal(balance_minor_))
        .end_object();
    out.append("\n");
}

void StatementWriter::write_closing(std::string& out) {
    const auto& asked = request_.first;
    if (request_.format == StatementFormat::Csv) {
        write_row({.type = "closing",
                   .booked_at = time_text(asked.booked.to),
                   .debit = decimal(debits_minor_),
                   .credit = decimal(credits_minor_),
                   .lines = std::to_string(lines_)},
                  out);
        return;
    }
    JsonWriter json(out);
    json.begin_object()
        .member("type", "closing")
        .member("lines", lines_)
        .member("debits", debits_minor_)
        .member("credits", credits_minor_)
        .member("balance", balance_minor_)
        .member("debits_decimal", decimal(debits_minor_))
        .member("credits_decimal", decimal(credits_minor_))
        .member("balance_decimal", decimal(balance_minor_))
        .end_object();
    out.append("\n");
}

void StatementWriter::write_row(const Cells& cells, std::string& out) const {
    static const storage::JournalEntry kNone{};
    const auto& entry = cells.entry != nullptr ? *cells.entry : kNone;
    const bool has_entry = cells.entry != nullptr;
    append_cell(cells.type, out);
    append_cell(has_entry ? std::to_string(entry.id) : "", out);
    append_cell(has_entry ? std::to_string(entry.movement) : "", out);
    append_cell(cells.booked_at, out);
    append_cell(has_entry ? storage::kind_name(entry.kind) : "", out);
    append_foreign_cell(entry.payment_id, out);
    append_cell(cells.debit, out);
    append_cell(cells.credit, out);
    append_cell(decimal(balance_minor_), out);
    append_cell(request_.first.currency, out);
    append_cell(entry.token ? std::to_string(entry.token->value()) : "", out);
    append_foreign_cell(entry.principal, out);
    append_foreign_cell(entry.owner, out);
    append_foreign_cell(entry.key, out);
    append_foreign_cell(entry.reason, out);
    out.append(cells.lines).append("\r\n");
}

}  // namespace fencegate::proxy
