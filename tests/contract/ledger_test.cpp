// The ledger: accounts that add up to zero, entries with both their sides.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Ledger : public GatewaySuite {
protected:
    void create(std::string_view currency, std::int64_t amount, bool capture) {
        const auto made = client.request(
            "POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}},
            R"({"amount":)" + std::to_string(amount) + R"(,"currency":")" + std::string(currency) +
                R"(","capture":)" + (capture ? "true}" : "false}"));
        ASSERT_EQ(made.status, 201) << made.body;
    }
};

TEST_F(Ledger, AccountsOfACurrencyAddUpToZero) {
    create("KWD", 1'234, true);
    create("KWD", 5, false);

    const auto accounts = get("/v1/ledger/accounts?currency=KWD");

    ASSERT_EQ(accounts.status, 200) << accounts.body;
    ASSERT_EQ(accounts.json_size("data"), 4U);
    std::int64_t sum = 0;
    for (int at = 0; at < 4; ++at)
        sum += accounts.json_int("/data/" + std::to_string(at) + "/balance");
    EXPECT_EQ(sum, 0);
    EXPECT_EQ(accounts.json_text("/data/0/account"), "customer_funds");
    EXPECT_EQ(accounts.json_text("/data/0/balance_decimal"), "-1.239");
    EXPECT_EQ(accounts.json_text("/data/1/account"), "funds_held");
    EXPECT_EQ(accounts.json_text("/data/1/state"), "pending");
    EXPECT_EQ(accounts.json_int("/data/1/balance"), 5);
    EXPECT_EQ(accounts.json_text("/data/1/balance_decimal"), "0.005");
    EXPECT_EQ(accounts.json_int("/data/2/balance"), 1'234);
    EXPECT_EQ(accounts.json_text("/data/2/state"), "posted");
}

TEST_F(Ledger, TheEntriesOfAPaymentTellItsLifeNewestFirst) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    move("refunds", id, own.token, R"({"amount":250,"reason":"damaged"})");

    const auto entries = get("/v1/ledger/entries?payment=" + id);

    ASSERT_EQ(entries.json_size("data"), 3U) << entries.body;
    EXPECT_EQ(entries.json_text("/data/0/kind"), "refund");
    EXPECT_EQ(entries.json_text("/data/0/debit_account"), "funds_captured");
    EXPECT_EQ(entries.json_text("/data/0/credit_account"), "funds_refunded");
    EXPECT_EQ(entries.json_int("/data/0/amount"), 250);
    EXPECT_EQ(entries.json_text("/data/0/amount_decimal"), "2.50");
    EXPECT_EQ(entries.json_text("/data/0/reason"), "damaged");
    EXPECT_EQ(std::to_string(entries.json_int("/data/0/fencing_token")), own.token);
    EXPECT_EQ(entries.json_text("/data/0/seal").size(), 64U);
    EXPECT_EQ(entries.json_text("/data/1/kind"), "capture");
    EXPECT_EQ(entries.json_text("/data/2/kind"), "authorize");
    EXPECT_EQ(entries.json_int("/data/1/movement"), entries.json_int("/data/2/id"))
        << "created and captured in one movement";
    EXPECT_FALSE(entries.json_bool("has_more"));
}

TEST_F(Ledger, EntriesAreReadInPages) {
    const auto id = create_payment();
    const std::string query = "/v1/ledger/entries?limit=1&payment=" + id;

    const auto first = get(query);
    const auto second = get(query + "&cursor=" + first.json_text("next_cursor"));

    EXPECT_EQ(first.json_text("/data/0/kind"), "capture");
    EXPECT_EQ(second.json_text("/data/0/kind"), "authorize");
    EXPECT_FALSE(second.json_bool("has_more"));
    const auto newest = get("/v1/ledger/entries?limit=1&account=funds_held&currency=EUR");
    const auto older = get("/v1/ledger/entries?limit=1&account=funds_held&currency=EUR&cursor=" +
                           newest.json_text("next_cursor"));
    const auto back = get("/v1/ledger/entries?limit=1&account=funds_held&currency=EUR&cursor=" +
                          older.json_text("previous_cursor"));
    EXPECT_LT(older.json_int("/data/0/id"), newest.json_int("/data/0/id"));
    EXPECT_EQ(back.json_int("/data/0/id"), newest.json_int("/data/0/id"));
}

TEST_F(Ledger, ABadParameterIsNamed) {
    const auto id = create_payment();
    const auto other = create_payment();
    const auto of_other = get("/v1/ledger/entries?limit=1&payment=" + other);

    for (const std::string& query :
         {std::string("accounts?currency=eur"), std::string("accounts?limit=1"),
          std::string("entries?account=cash"), std::string("entries?currency=EURO"),
          std::string("entries?from=now"), std::string("entries?payment="),
          std::string("entries?cursor=x"),
          "entries?payment=" + id + "&cursor=" + of_other.json_text("next_cursor")}) {
        SCOPED_TRACE(query);
        expect_problem(get("/v1/ledger/" + query), 400, "invalid_argument");
    }
    expect_problem(get("/v1/ledger/entries?payment=none"), 404, "payment_not_found");
}

TEST_F(Ledger, NeedsAScope) {
    auto locks_only = gateway().client(gateway().add_key("locks", {"locks:read"}));

    for (const auto* target :
         {"/v1/ledger/accounts", "/v1/ledger/entries", "/v1/payments",
          "/v1/ledger/statement?account=funds_held&currency=EUR", "/v1/events"})
        expect_problem(locks_only.request("GET", target), 403, "forbidden");
}

}  // namespace
}  // namespace fencegate::contract
