// Statements on the wire: whole or visibly not, the same whatever is booked meanwhile.
#include "tests/contract/gateway_suite.hpp"

#include <algorithm>

namespace fencegate::contract {
namespace {

std::size_t lines_in(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

class Statements : public GatewaySuite {
protected:
    Response statement(const std::string& query) { return get("/v1/ledger/statement" + query); }
};

TEST_F(Statements, BeginAndEndWithABalance) {
    create_payment(false);
    create_payment();

    const auto csv = statement("?account=funds_held&currency=EUR");

    ASSERT_THAT(csv, Is(200));
    EXPECT_EQ(csv.header("Transfer-Encoding"), "chunked");
    EXPECT_TRUE(csv.header("Content-Type").starts_with("text/csv"));
    EXPECT_TRUE(contains(csv.body, "\r\nopening,,,,,,,,0.00,EUR,")) << csv.body;
    EXPECT_TRUE(contains(csv.body, "\r\nclosing,")) << csv.body;
    EXPECT_TRUE(csv.body.ends_with("\r\n"));
}

TEST_F(Statements, AgreeWithTheAccounts) {
    create_payment();
    create_payment(false);
    const auto accounts = get("/v1/ledger/accounts?currency=EUR");

    const auto lines = statement("?account=funds_captured&currency=EUR&format=jsonl");

    EXPECT_EQ(accounts.json_text("/data/2/account"), "funds_captured");
    const auto closing = lines.body.substr(lines.body.rfind("{\"type\":\"closing\""));
    EXPECT_TRUE(contains(
        closing, "\"balance\":" + std::to_string(accounts.json_int("/data/2/balance")) + ","))
        << closing;
    EXPECT_EQ(lines.header("Content-Type"), "application/x-ndjson");
}

TEST_F(Statements, OverTwoTimesMeetInTheMiddle) {
    create_payment();
    const auto at = payment(create_payment()).json_text("created_at");
    create_payment();
    const std::string of = "?account=customer_funds&currency=EUR&format=jsonl";

    const auto before = statement(of + "&to=" + at);
    const auto behind = statement(of + "&from=" + at);
    const auto all = statement(of);

    const auto balance = [](std::string_view text, std::string_view type) {
        const auto line = text.substr(text.find("{\"type\":\"" + std::string(type)));
        const auto from = line.find("\"balance\":");
        return std::string(line.substr(from, line.find(',', from) - from));
    };
    EXPECT_EQ(balance(before.body, "closing"), balance(behind.body, "opening"));
    EXPECT_EQ(balance(behind.body, "closing"), balance(all.body, "closing"));
    EXPECT_EQ(lines_in(before.body) + lines_in(behind.body), lines_in(all.body) + 2);
}

TEST_F(Statements, OfNothingStillSaySo) {
    const auto none = statement("?account=funds_held&currency=CLF&format=jsonl");

    EXPECT_EQ(lines_in(none.body), 2U) << none.body;
    EXPECT_TRUE(contains(none.body, "\"balance_decimal\":\"0.0000\""));
}

TEST_F(Statements, LeaveTheConnectionForTheNextRequest) {
    client.send_raw(
        request_text(gateway(), "GET", "/v1/ledger/statement?account=funds_held&currency=EUR") +
        request_text(gateway(), "GET", "/v1/ledger/accounts"));

    EXPECT_THAT(client.read_response(), Is(200));
    EXPECT_THAT(client.read_response(), Is(200));
}

TEST_F(Statements, ToAnOldClientEndWithTheConnection) {
    client.connect();
    client.send_raw(
        "GET /v1/ledger/statement?account=funds_held&currency=EUR HTTP/1.0\r\n"
        "Host: localhost\r\nAuthorization: Bearer " +
        gateway().api_key() + "\r\n\r\n");

    const auto whole = client.read_response();

    EXPECT_THAT(whole, Is(200));
    EXPECT_EQ(whole.header_count("Transfer-Encoding"), 0U);
    EXPECT_TRUE(contains(whole.body, "\r\nclosing,")) << whole.body;
}

TEST_F(Statements, ABadParameterIsNamed) {
    for (const auto* query :
         {"", "?account=funds_held", "?currency=EUR", "?account=cash&currency=EUR",
          "?account=funds_held&currency=EUR&format=pdf", "?account=funds_held&currency=EUR&limit=1",
          "?account=funds_held&currency=EUR&from=x"}) {
        SCOPED_TRACE(query);
        EXPECT_THAT(statement(query), Refused(400, "invalid_argument"));
    }
}

class NoRoomForStatements : public Statements {
protected:
    static void SetUpTestSuite() { start("statements_max = 0\n"); }
};

TEST_F(NoRoomForStatements, RefusesThemAndServesTheRest) {
    const auto refused = statement("?account=funds_held&currency=EUR");
    const auto next = get("/v1/ledger/accounts");

    EXPECT_THAT(refused, Refused(503, "overloaded"));
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_THAT(next, Is(200));
}

class OneStatementAtATime : public Statements {
protected:
    static void SetUpTestSuite() { start("statements_max = 1\n"); }
};

TEST_F(OneStatementAtATime, GivesItsPlaceBack) {
    const std::string of = "?account=funds_held&currency=EUR";

    EXPECT_THAT(statement(of), Is(200));
    EXPECT_THAT(statement(of), Is(200));
    EXPECT_THAT(statement("?account=funds_held"), Is(400));
    EXPECT_THAT(statement(of), Is(200));
}

}  // namespace
}  // namespace fencegate::contract
