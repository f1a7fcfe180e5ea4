// The ledger: accounts that add up to zero, entries with both their sides.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Ledger : public GatewaySuite {
protected:
    void create(std::string_view currency, std::int64_t amount, bool capture) {
        ASSERT_THAT(
            post("/v1/payments",
                 filled(R"({"amount":$,"currency":"$","capture":$})", amount, currency, capture),
                 {{"Idempotency-Key", fresh("key")}}),
            Is(201));
    }
};

TEST_F(Ledger, AccountsOfACurrencyAddUpToZero) {
    create("KWD", 1'234, true);
    create("KWD", 5, false);

    EXPECT_THAT(
        get("/v1/ledger/accounts?currency=KWD"),
        Is(200, R"({"data":[)"
                R"({"account":"customer_funds","balance":-1239,"balance_decimal":"-1.239"},)"
                R"({"account":"funds_held","state":"pending","balance":5,)"
                R"("balance_decimal":"0.005"},)"
                R"({"account":"funds_captured","state":"posted","balance":1234},)"
                R"({"account":"funds_refunded","balance":0}]})"));
}

TEST_F(Ledger, TheEntriesOfAPaymentTellItsLifeNewestFirst) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    move("refunds", id, own.token, R"({"amount":250,"reason":"damaged"})");

    const auto entries = get("/v1/ledger/entries?payment=" + id);

    EXPECT_THAT(entries, Is(200,
                            R"({"has_more":false,"data":[{"kind":"refund","amount":250,)"
                            R"("debit_account":"funds_captured","credit_account":"funds_refunded",)"
                            R"("amount_decimal":"2.50","reason":"damaged","fencing_token":$},)"
                            R"({"kind":"capture","movement":$},{"kind":"authorize"}]})",
                            own.token, entries.json_int("/data/2/id")))
        << "created and captured in one movement";
    EXPECT_EQ(entries.json_text("/data/0/seal").size(), 64U);
}

TEST_F(Ledger, EntriesAreReadInPages) {
    const auto id = create_payment();
    const auto of_payment = "/v1/ledger/entries?limit=1&payment=" + id;
    const auto first = get(of_payment);
    EXPECT_THAT(first, Is(200, R"({"data":[{"kind":"capture"}]})"));
    EXPECT_THAT(get(of_payment + "&cursor=" + first.json_text("next_cursor")),
                Is(200, R"({"data":[{"kind":"authorize"}],"has_more":false})"));

    const std::string of_account = "/v1/ledger/entries?limit=1&account=funds_held&currency=EUR";
    const auto newest = get(of_account);
    const auto older = get(of_account + "&cursor=" + newest.json_text("next_cursor"));
    const auto back = get(of_account + "&cursor=" + older.json_text("previous_cursor"));
    EXPECT_LT(older.json_int("/data/0/id"), newest.json_int("/data/0/id"));
    EXPECT_EQ(back.json_int("/data/0/id"), newest.json_int("/data/0/id"));
}

TEST_F(Ledger, ACursorIsOfItsListOnly) {
    const auto id = create_payment();
    const auto of_other = get("/v1/ledger/entries?limit=1&payment=" + create_payment());

    EXPECT_THAT(
        get(filled("/v1/ledger/entries?payment=$&cursor=$", id, of_other.json_text("next_cursor"))),
        Refused(400, "invalid_argument"));
    EXPECT_THAT(get("/v1/ledger/entries?payment=none"), Refused(404, "payment_not_found"));
}

}  // namespace
}  // namespace fencegate::contract
