// Statements on the wire: whole or visibly not, the same whatever is booked meanwhile.
#include "tests/contract/gateway_suite.hpp"

#include <algorithm>

namespace fencegate::contract {
namespace {

constexpr std::string_view kHeld = "?account=funds_held&currency=EUR";

std::size_t lines_in(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// The line of this type in a statement of JSON lines.
Response line_of(const Response& statement, std::string_view type) {
    const auto text = statement.body.substr(statement.body.find(filled(R"({"type":"$")", type)));
    return {.status = statement.status, .headers = {}, .body = text.substr(0, text.find('\n'))};
}

class Statements : public GatewaySuite {
protected:
    Response statement(std::string_view query) {
        return get(filled("/v1/ledger/statement$", query));
    }
};

TEST_F(Statements, BeginAndEndWithABalance) {
    create_payment(false);
    create_payment();

    const auto csv = statement(kHeld);

    EXPECT_THAT(
        csv, Is(200).with("Transfer-Encoding", "chunked").with("Content-Type", "<...text/csv...>"));
    EXPECT_TRUE(contains(csv.body, "\r\nopening,,,,,,,,0.00,EUR,")) << csv.body;
    EXPECT_TRUE(contains(csv.body, "\r\nclosing,")) << csv.body;
    EXPECT_TRUE(csv.body.ends_with("\r\n"));
}

TEST_F(Statements, AgreeWithTheAccounts) {
    create_payment();
    create_payment(false);
    const auto accounts = get("/v1/ledger/accounts?currency=EUR");

    const auto lines = statement("?account=funds_captured&currency=EUR&format=jsonl");

    EXPECT_THAT(lines, Is(200).with("Content-Type", "application/x-ndjson"));
    EXPECT_THAT(accounts, Says(R"({"data":["<any>","<any>",{"account":"funds_captured",)"
                               R"("balance":$},"<any>"]})",
                               line_of(lines, "closing").json_int("balance")));
}

TEST_F(Statements, OverTwoTimesMeetInTheMiddle) {
    create_payment();
    const auto at = payment(create_payment()).json_text("created_at");
    create_payment();
    const std::string of = "?account=customer_funds&currency=EUR&format=jsonl";

    const auto before = statement(of + "&to=" + at);
    const auto behind = statement(of + "&from=" + at);
    const auto all = statement(of);

    const auto balance = [](const Response& of_all, std::string_view type) {
        return line_of(of_all, type).json_int("balance");
    };
    EXPECT_EQ(balance(before, "closing"), balance(behind, "opening"));
    EXPECT_EQ(balance(behind, "closing"), balance(all, "closing"));
    EXPECT_EQ(lines_in(before.body) + lines_in(behind.body), lines_in(all.body) + 2);
}

TEST_F(Statements, OfNothingStillSaySo) {
    const auto none = statement("?account=funds_held&currency=CLF&format=jsonl");

    EXPECT_EQ(lines_in(none.body), 2U) << none.body;
    EXPECT_THAT(line_of(none, "closing"), Says(R"({"balance_decimal":"0.0000"})"));
}

TEST_F(Statements, LeaveTheConnectionForTheNextRequest) {
    client.send_raw(request_text(gateway(), "GET", filled("/v1/ledger/statement$", kHeld)) +
                    request_text(gateway(), "GET", "/v1/ledger/accounts"));

    EXPECT_THAT(client.read_response(), Is(200));
    EXPECT_THAT(client.read_response(), Is(200));
}

TEST_F(Statements, ToAnOldClientEndWithTheConnection) {
    client.send_raw(filled(
        "GET /v1/ledger/statement$ HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer $\r\n\r\n",
        kHeld, gateway().api_key()));

    const auto whole = client.read_response();

    EXPECT_THAT(whole, Is(200).with("Transfer-Encoding", "<absent>"));
    EXPECT_TRUE(contains(whole.body, "\r\nclosing,")) << whole.body;
}

class NoRoomForStatements : public Statements {
protected:
    static void SetUpTestSuite() { start("statements_max = 0\n"); }
};

TEST_F(NoRoomForStatements, RefusesThemAndServesTheRest) {
    EXPECT_THAT(statement(kHeld), Refused(503, "overloaded").with("Retry-After", "1"));
    EXPECT_THAT(get("/v1/ledger/accounts"), Is(200));
}

class OneStatementAtATime : public Statements {
protected:
    static void SetUpTestSuite() { start("statements_max = 1\n"); }
};

TEST_F(OneStatementAtATime, GivesItsPlaceBack) {
    EXPECT_THAT(statement(kHeld), Is(200));
    EXPECT_THAT(statement(kHeld), Is(200));
    EXPECT_THAT(statement("?account=funds_held"), Is(400));
    EXPECT_THAT(statement(kHeld), Is(200));
}

}  // namespace
}  // namespace fencegate::contract
