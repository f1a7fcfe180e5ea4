// Payments: created, captured, refunded, cancelled, read, and what the business rules refuse.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Payments : public GatewaySuite {
protected:
    Response create(std::string_view body, Headers headers = {}) {
        headers.emplace_back("Idempotency-Key", fresh("key"));
        return post("/v1/payments", body, headers);
    }
};

TEST_F(Payments, ACreateIsAnsweredWithThePayment) {
    const auto id = fresh("pay");

    const auto created = create(filled(
        R"({"id":"$","amount":1234,"currency":"JPY","reference":"order 7","metadata":{"items":3}})",
        id));

    EXPECT_THAT(created,
                Is(201,
                   R"({"id":"$","status":"captured","amount":1234,"currency":"JPY",)"
                   R"("amount_captured":1234,"amount_capturable":0,"amount_refundable":1234,)"
                   R"("reference":"order 7","metadata":{"items":3}})",
                   id)
                    .with("Location", "/v1/payments/" + id));
    EXPECT_EQ(payment(id).body, created.body);
}

TEST_F(Payments, WithoutAnIdGetOneOfTheirOwn) {
    const auto created = create(R"({"amount":1,"currency":"EUR"})");

    const auto id = created.json_text("id");
    EXPECT_THAT(created, Is(201).with("Location", "/v1/payments/" + id));
    EXPECT_EQ(payment(id).body, created.body);
}

TEST_F(Payments, MayBeCreatedUnderALiveToken) {
    const auto id = fresh("pay");
    const auto own = grant_payment(id);

    EXPECT_THAT(create(filled(R"({"id":"$","amount":999999999999,"currency":"EUR"})", id),
                       fence(own.token)),
                Is(201, R"({"amount":999999999999})"));
}

TEST_F(Payments, ACaptureMayTakeLessAndLetsGoOfTheRest) {
    const auto id = create_payment(false);
    ASSERT_THAT(payment(id), Is(200, R"({"status":"authorized"})"));

    const auto captured = move("captures", id, grant_payment(id).token, R"({"amount":400})");

    EXPECT_THAT(captured, Is(201, R"({"status":"partially_captured","amount_captured":400,)"
                                  R"("amount_capturable":0})"));
    EXPECT_EQ(payment(id).body, captured.body);
}

TEST_F(Payments, ACaptureAndARefundWithoutAmountTakeTheRest) {
    const auto id = create_payment(false);
    const auto own = grant_payment(id);

    EXPECT_THAT(move("captures", id, own.token), Is(201, R"({"amount_captured":1000})"));
    ASSERT_THAT(refund(id, own.token, 300), Is(201));
    EXPECT_THAT(move("refunds", id, own.token),
                Is(201, R"({"amount":700,"payment_status":"refunded"})"));
}

TEST_F(Payments, ARefundNamesItsPaymentAndTheTokenItWasMadeUnder) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    EXPECT_THAT(move("refunds", id, own.token, R"({"amount":250,"reason":"damaged \u00e9"})"),
                Is(201,
                   R"({"payment":"$","amount":250,"currency":"EUR","reason":"damaged é",)"
                   R"("fencing_token":$,"payment_status":"partially_refunded",)"
                   R"("amount_refunded":250,"amount_refundable":750})",
                   id, own.token));
}

TEST_F(Payments, ACancelEndsAnAuthorization) {
    const auto id = create_payment(false);

    EXPECT_THAT(move("cancel", id, grant_payment(id).token, R"({"reason":"changed my mind"})"),
                Is(200, R"({"status":"cancelled","amount_capturable":0})"));
}

TEST_F(Payments, RefundsAreReadInPages) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    Texts made;
    for (int amount = 1; amount <= 3; ++amount)
        made.push_back(refund(id, own.token, amount).json_text("id"));
    const auto target = "/v1/payments/" + id + "/refunds";

    const auto first = get(target + "?limit=2");
    EXPECT_THAT(first,
                Is(200, R"({"data":[{"id":"$"},{"id":"$"}],"has_more":true})", made[2], made[1]));
    EXPECT_THAT(
        get(target + "?limit=2&cursor=" + first.json_text("next_cursor")),
        Is(200, R"({"data":[{"id":"$"}],"has_more":false,"next_cursor":"<absent>"})", made[0]));
    EXPECT_THAT(get(target + "?limit=100"),
                Is(200, R"({"data":[{"amount":3},{"amount":2},{"amount":1}]})"));
}

TEST_F(Payments, ThatDoNotExistAreNotFound) {
    const auto own = grant("payments/none");

    for (const auto* target : {"/v1/payments/none", "/v1/payments/none/refunds"})
        EXPECT_THAT(get(target), Refused(404, "payment_not_found")) << target;
    for (const char* action : {"captures", "refunds", "cancel"})
        EXPECT_THAT(move(action, "none", own.token), Refused(404, "payment_not_found")) << action;
    release(own);
}

TEST_F(Payments, ThatExistAreNotCreatedAgain) {
    const auto id = create_payment();
    const auto before = payment(id).body;

    EXPECT_THAT(create(filled(R"({"id":"$","amount":1,"currency":"USD"})", id)),
                Refused(409, "payment_exists"));

    EXPECT_EQ(payment(id).body, before);
}

TEST_F(Payments, ThatBreakARuleAreRefusedAndNotChanged) {
    const struct {
        std::string_view begins;
        const char* action;
        const char* body;
        const char* code;
    } rows[] = {
        {"authorized", "captures", R"({"amount":1001})", "capture_exceeds_authorized"},
        {"captured", "captures", R"({"amount":1})", "payment_not_capturable"},
        {"cancelled", "captures", "", "payment_not_capturable"},
        {"captured", "refunds", R"({"amount":1001})", "refund_exceeds_captured"},
        {"captured", "refunds", R"({"amount":9007199254740991})", "refund_exceeds_captured"},
        {"authorized", "refunds", "", "payment_not_refundable"},
        {"refunded", "refunds", "", "payment_not_refundable"},
        {"captured", "cancel", "", "payment_not_cancellable"},
        {"cancelled", "cancel", "", "payment_not_cancellable"},
    };
    for (const auto& [begins, action, body, code] : rows) {
        SCOPED_TRACE(filled("$ of a payment that is $", action, begins));
        const auto id = create_payment(begins == "captured" || begins == "refunded");
        const auto own = grant_payment(id);
        if (begins == "refunded") move("refunds", id, own.token);
        if (begins == "cancelled") move("cancel", id, own.token);
        const auto before = payment(id);
        ASSERT_THAT(before, Is(200, R"({"status":"$"})", begins));

        EXPECT_THAT(move(action, id, own.token, body), Refused(422, code));
        EXPECT_EQ(payment(id).body, before.body);
    }
}

}  // namespace
}  // namespace fencegate::contract
