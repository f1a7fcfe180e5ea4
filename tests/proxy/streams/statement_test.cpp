// The text of statements: what a spreadsheet and an accountant make of it.
#include "proxy/streams/statement.hpp"

#include <gtest/gtest.h>

namespace fencegate::proxy {
namespace {

using storage::Account;
using storage::JournalEntry;
using storage::StatementPage;
using storage::TransferKind;

StatementRequest of_held(StatementFormat format) {
    StatementRequest request;
    request.first.account = Account::FundsHeld;
    request.first.currency = "EUR";
    request.format = format;
    return request;
}

JournalEntry entry(TransferKind kind, std::int64_t amount) {
    JournalEntry made;
    made.id = 7;
    made.movement = 7;
    made.kind = kind;
    made.debit = storage::accounts_of(kind).debit;
    made.credit = storage::accounts_of(kind).credit;
    made.amount_minor = amount;
    made.currency = "EUR";
    made.payment_id = "pay_1";
    made.principal = "shop";
    return made;
}

std::string written(StatementFormat format, std::vector<StatementPage> pages) {
    StatementWriter writer(of_held(format));
    std::string out;
    for (const auto& page : pages) writer.take(page, out);
    EXPECT_TRUE(writer.is_complete());
    return out;
}

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

TEST(Statement, RunsFromItsOpeningToItsClosingBalance) {
    StatementPage page{.place = {},
                       .opening_debits_minor = 150,
                       .opening_credits_minor = 200,
                       .is_open = true,
                       .is_last = true};
    page.entries = {entry(TransferKind::Authorize, 1'000), entry(TransferKind::Capture, 400)};

    const auto csv = written(StatementFormat::Csv, {page});

    EXPECT_TRUE(has(csv, "\r\nopening,,,,,,,,0.50,EUR,,,,,,\r\n")) << csv;
    EXPECT_TRUE(has(csv, ",authorize,pay_1,,10.00,10.50,EUR,,shop,,,,\r\n")) << csv;
    EXPECT_TRUE(has(csv, ",capture,pay_1,4.00,,6.50,EUR,,shop,,,,\r\n")) << csv;
    EXPECT_TRUE(csv.ends_with("\r\nclosing,,,,,,4.00,10.00,6.50,EUR,,,,,,2\r\n")) << csv;
}

TEST(Statement, AddsUpWhatComesBeforeItOverSeveralPages) {
    const StatementPage before{.place = {}, .opening_credits_minor = 200};
    const StatementPage last{
        .place = {}, .opening_debits_minor = 50, .is_open = true, .is_last = true};

    const auto lines = written(StatementFormat::JsonLines, {before, last});

    EXPECT_EQ(lines, R"({"type":"opening","account":"funds_held","currency":"EUR","balance":150,)"
                     R"("balance_decimal":"1.50"})"
                     "\n"
                     R"({"type":"closing","lines":0,"debits":0,"credits":0,"balance":150,)"
                     R"("debits_decimal":"0.00","credits_decimal":"0.00","balance_decimal":"1.50"})"
                     "\n");
}

struct CellRow {
    const char* text;
    const char* cell;
};

TEST(Statement, ACellOfAClientIsNeitherFormulaNorSeveralCells) {
    for (const auto& [text, cell] : {
             CellRow{"plain", ",plain,"},
             CellRow{"a,b", ",\"a,b\","},
             CellRow{"say \"hi\"", ",\"say \"\"hi\"\"\","},
             CellRow{"two\r\nlines", ",\"two\r\nlines\","},
             CellRow{"=1+1", ",\"'=1+1\","},
             CellRow{"+1", ",\"'+1\","},
             CellRow{"-1", ",\"'-1\","},
             CellRow{"@SUM(A1)", ",\"'@SUM(A1)\","},
             CellRow{"\t=1", ",\"'\t=1\","},
         }) {
        StatementPage page{.place = {}, .is_open = true, .is_last = true};
        page.entries = {entry(TransferKind::Authorize, 1)};
        page.entries[0].reason = text;

        const auto csv = written(StatementFormat::Csv, {page});

        EXPECT_TRUE(has(csv, std::string(cell) + "\r\n")) << csv;
    }
}

}  // namespace
}  // namespace fencegate::proxy
