// Payments: created, captured, refunded, cancelled, read, and what the business rules refuse.
#include "tests/contract/gateway_suite.hpp"

#include <set>

namespace fencegate::contract {
namespace {

class Payments : public GatewaySuite {
protected:
    Response create(std::string_view body) {
        return client.request("POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}}, body);
    }
    Response refunds(const std::string& id, const std::string& query) {
        return client.request("GET", "/v1/payments/" + id + "/refunds" + query);
    }
};

TEST_F(Payments, ACreateIsAnsweredWithThePayment) {
    const auto id = fresh("pay");

    const auto created = create(R"({"id":")" + id +
                                R"(","amount":1234,"currency":"JPY","reference":"order 7",)"
                                R"("metadata":{"items":3}})");

    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.header("Location"), "/v1/payments/" + id);
    EXPECT_EQ(created.json_text("id"), id);
    EXPECT_EQ(created.json_text("status"), "captured");
    EXPECT_EQ(created.json_int("amount"), 1'234);
    EXPECT_EQ(created.json_text("currency"), "JPY");
    EXPECT_EQ(created.json_int("amount_captured"), 1'234);
    EXPECT_EQ(created.json_int("amount_capturable"), 0);
    EXPECT_EQ(created.json_int("amount_refundable"), 1'234);
    EXPECT_EQ(created.json_text("reference"), "order 7");
    EXPECT_EQ(created.json_int("/metadata/items"), 3);
    EXPECT_EQ(payment(id).body, created.body);
}

TEST_F(Payments, WithoutAnIdGetOneOfTheirOwn) {
    const auto created = create(R"({"amount":1,"currency":"EUR"})");

    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.header("Location"), "/v1/payments/" + created.json_text("id"));
    EXPECT_EQ(payment(created.json_text("id")).body, created.body);
}

TEST_F(Payments, MayBeCreatedUnderALiveToken) {
    const auto id = fresh("pay");
    const auto own = grant_payment(id);

    const auto created = client.request(
        "POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}, {"X-Fence-Token", own.token}},
        R"({"id":")" + id + R"(","amount":999999999999,"currency":"EUR"})");

    ASSERT_EQ(created.status, 201) << created.body;
    EXPECT_EQ(created.json_int("amount"), 999'999'999'999);
}

TEST_F(Payments, ACaptureMayTakeLessAndLetsGoOfTheRest) {
    const auto id = create_payment(false);
    const auto own = grant_payment(id);
    ASSERT_EQ(payment(id).json_text("status"), "authorized");

    const auto captured = move("captures", id, own.token, R"({"amount":400})");

    ASSERT_EQ(captured.status, 201) << captured.body;
    EXPECT_EQ(captured.json_text("status"), "partially_captured");
    EXPECT_EQ(captured.json_int("amount_captured"), 400);
    EXPECT_EQ(captured.json_int("amount_capturable"), 0);
    EXPECT_EQ(payment(id).body, captured.body);
}

TEST_F(Payments, ACaptureAndARefundWithoutAmountTakeTheRest) {
    const auto id = create_payment(false);
    const auto own = grant_payment(id);

    const auto captured = move("captures", id, own.token);
    ASSERT_EQ(refund(id, own.token, 300).status, 201);
    const auto rest = move("refunds", id, own.token);

    EXPECT_EQ(captured.json_int("amount_captured"), 1'000);
    ASSERT_EQ(rest.status, 201) << rest.body;
    EXPECT_EQ(rest.json_int("amount"), 700);
    EXPECT_EQ(payment(id).json_text("status"), "refunded");
}

TEST_F(Payments, ARefundNamesItsPaymentAndTheTokenItWasMadeUnder) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    const auto refunded =
        move("refunds", id, own.token, R"({"amount":250,"reason":"damaged \u00e9"})");

    ASSERT_EQ(refunded.status, 201) << refunded.body;
    EXPECT_EQ(refunded.json_text("payment"), id);
    EXPECT_EQ(refunded.json_int("amount"), 250);
    EXPECT_EQ(refunded.json_text("currency"), "EUR");
    EXPECT_EQ(refunded.json_text("reason"), "damaged \u00e9");
    EXPECT_EQ(std::to_string(refunded.json_int("fencing_token")), own.token);
    EXPECT_EQ(refunded.json_text("payment_status"), "partially_refunded");
    EXPECT_EQ(refunded.json_int("amount_refunded"), 250);
    EXPECT_EQ(refunded.json_int("amount_refundable"), 750);
}

TEST_F(Payments, ACancelEndsAnAuthorization) {
    const auto id = create_payment(false);
    const auto own = grant_payment(id);

    const auto cancelled = move("cancel", id, own.token, R"({"reason":"changed my mind"})");

    ASSERT_EQ(cancelled.status, 200) << cancelled.body;
    EXPECT_EQ(cancelled.json_text("status"), "cancelled");
    EXPECT_EQ(cancelled.json_int("amount_capturable"), 0);
}

TEST_F(Payments, RefundsAreReadInPages) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    std::set<std::string> made;
    for (int amount = 1; amount <= 5; ++amount) {
        made.insert(refund(id, own.token, amount).json_text("id"));
    }

    std::set<std::string> read;
    std::string query = "?limit=2";
    std::vector<std::size_t> pages;
    for (bool has_more = true; has_more;) {
        const auto page = refunds(id, query);
        ASSERT_EQ(page.status, 200) << page.body;
        pages.push_back(page.json_size("data"));
        for (std::size_t at = 0; at < pages.back(); ++at) {
            read.insert(page.json_text("/data/" + std::to_string(at) + "/id"));
        }
        has_more = page.json_bool("has_more");
        EXPECT_EQ(page.has("next_cursor"), has_more);
        if (has_more) query = "?limit=2&cursor=" + page.json_text("next_cursor");
    }

    EXPECT_EQ(pages, (std::vector<std::size_t>{2, 2, 1}));
    EXPECT_EQ(read, made);
    EXPECT_EQ(refunds(id, "").json_size("data"), 5U);
}

TEST_F(Payments, APageOutOfRangeIsRefused) {
    const auto id = create_payment();

    for (const auto* query : {"?limit=0", "?limit=101", "?limit=-1", "?limit=ten", "?limit=",
                              "?limit=99999999999999999999", "?cursor=x", "?cursor=-1"}) {
        expect_problem(refunds(id, query), 400, "invalid_argument");
    }
    expect_problem(refunds(id, "?limit=1&limit=2"), 400, "bad_request");
    EXPECT_EQ(refunds(id, "?limit=100").status, 200);
}

TEST_F(Payments, ThatDoNotExistAreNotFound) {
    const auto own = grant("payments/none");

    expect_problem(payment("none"), 404, "payment_not_found");
    expect_problem(refunds("none", ""), 404, "payment_not_found");
    for (const char* action : {"captures", "refunds", "cancel"}) {
        expect_problem(move(action, "none", own.token), 404, "payment_not_found");
    }
    release(own);
}

TEST_F(Payments, ThatExistAreNotCreatedAgain) {
    const auto id = create_payment();
    const auto before = payment(id).body;

    expect_problem(create(R"({"id":")" + id + R"(","amount":1,"currency":"USD"})"), 409,
                   "payment_exists");

    EXPECT_EQ(payment(id).body, before);
}

struct RuleRow {
    const char* name;
    const char* begins;  // "authorized", "captured", "refunded", "cancelled"
    const char* action;
    const char* body;
    const char* code;
};

std::ostream& operator<<(std::ostream& out, const RuleRow& row) { return out << row.name; }

class BrokenRule : public GatewaySuite, public ::testing::WithParamInterface<RuleRow> {};

TEST_P(BrokenRule, IsRefusedAndChangesNothing) {
    const std::string_view begins = GetParam().begins;
    const auto id = create_payment(begins == "captured" || begins == "refunded");
    const auto own = grant_payment(id);
    if (begins == "refunded") move("refunds", id, own.token);
    if (begins == "cancelled") move("cancel", id, own.token);
    ASSERT_EQ(payment(id).json_text("status"), begins);
    const auto before = payment(id).body;

    const auto refused = move(GetParam().action, id, own.token, GetParam().body);

    expect_problem(refused, 422, GetParam().code);
    EXPECT_EQ(payment(id).body, before);
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BrokenRule,
    ::testing::Values(
        RuleRow{"CaptureTooMuch", "authorized", "captures", R"({"amount":1001})",
                "capture_exceeds_authorized"},
        RuleRow{"CaptureTwice", "captured", "captures", R"({"amount":1})",
                "payment_not_capturable"},
        RuleRow{"CaptureCancelled", "cancelled", "captures", "", "payment_not_capturable"},
        RuleRow{"RefundTooMuch", "captured", "refunds", R"({"amount":1001})",
                "refund_exceeds_captured"},
        RuleRow{"RefundHugest", "captured", "refunds", R"({"amount":9007199254740991})",
                "refund_exceeds_captured"},
        RuleRow{"RefundAuthorized", "authorized", "refunds", "", "payment_not_refundable"},
        RuleRow{"RefundTheRestOfNothing", "refunded", "refunds", "", "payment_not_refundable"},
        RuleRow{"CancelCaptured", "captured", "cancel", "", "payment_not_cancellable"},
        RuleRow{"CancelTwice", "cancelled", "cancel", "", "payment_not_cancellable"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace fencegate::contract
