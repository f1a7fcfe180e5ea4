// A write is refused unless its token names the live grant that guards the row, and a refusal
// changes nothing. One row of the contract's status table after the other.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kHugestToken = "9007199254740991";  // 2^53 - 1

class FenceRefusal : public GatewaySuite {
protected:
    void expect_untouched() {
        EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
        EXPECT_EQ(client.request("GET", "/v1/payments/" + id + "/refunds").json_size("data"), 0U);
    }

    const std::string id = create_payment();
    const Grant own = grant_payment(id);
};

TEST_F(FenceRefusal, AWriteWithoutATokenIsRefused) {
    for (const char* action : {"captures", "refunds", "cancel"}) {
        const auto refused = move(action, id, "");

        expect_problem(refused, 428, "fence_token_required");
        EXPECT_EQ(refused.json_text("lock"), own.lock);
    }
    expect_untouched();
}

struct MalformedRow {
    const char* name;
    std::vector<std::string> tokens;
};

std::ostream& operator<<(std::ostream& out, const MalformedRow& row) { return out << row.name; }

class MalformedToken : public FenceRefusal, public ::testing::WithParamInterface<MalformedRow> {};

TEST_P(MalformedToken, IsRefused) {
    Headers headers{{"Idempotency-Key", fresh("key")}};
    for (const auto& token : GetParam().tokens) {
        headers.emplace_back("X-Fence-Token", token == "own" ? own.token : token);
    }

    const auto refused = move("refunds", id, headers);

    expect_problem(refused, 400, "fence_token_malformed");
    expect_untouched();
}

INSTANTIATE_TEST_SUITE_P(
    Contract, MalformedToken,
    ::testing::Values(MalformedRow{"Empty", {""}}, MalformedRow{"Word", {"latest"}},
                      MalformedRow{"Zero", {"0"}}, MalformedRow{"LeadingZero", {"07"}},
                      MalformedRow{"Plus", {"+7"}}, MalformedRow{"Minus", {"-7"}},
                      MalformedRow{"Fraction", {"7.0"}}, MalformedRow{"Exponent", {"7e3"}},
                      MalformedRow{"Hexadecimal", {"0x7"}}, MalformedRow{"Quoted", {"\"7\""}},
                      MalformedRow{"TwoPower53", {"9007199254740992"}},
                      MalformedRow{"SeventeenDigits", {"10000000000000000"}},
                      MalformedRow{"Beyond64Bits", {"99999999999999999999"}},
                      MalformedRow{"List", {"7, 7"}}, MalformedRow{"SentTwice", {"own", "own"}},
                      MalformedRow{"GoodThenForged", {"own", "7"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(FenceRefusal, AForgedTokenIsUnknownAndChangesNothing) {
    const auto next = std::to_string(std::stoll(own.token) + 1);
    const auto of_next_epoch = std::to_string(std::stoll(own.token) + (std::int64_t{1} << 43));
    for (const auto& forged : {next, of_next_epoch, std::string(kHugestToken)}) {
        const auto refused = refund(id, forged, 100);

        expect_problem(refused, 412, "fence_token_unknown");
        EXPECT_EQ(refused.json_text("lock"), own.lock);
        EXPECT_EQ(std::to_string(refused.json_int("presented_token")), forged);
        EXPECT_FALSE(refused.json_text("remedy").empty());
        EXPECT_FALSE(refused.has("current_token")) << "a guesser learns nothing";
    }
    expect_untouched();
}

// A fence kept as "the highest token seen" would now refuse every honest writer.
TEST_F(FenceRefusal, AForgedHugeTokenDoesNotLockOutTheHolder) {
    expect_problem(refund(id, kHugestToken, 100), 412, "fence_token_unknown");

    EXPECT_EQ(refund(id, own.token, 100).status, 201);
    const auto next = grant(fresh("later"));
    EXPECT_GT(std::stoll(next.token), std::stoll(own.token));
}

TEST_F(FenceRefusal, NoneOfTwoHundredForgedTokensIsAcceptedAndTheHonestOneStillIs) {
    int accepted = 0;
    const auto honest = std::stoll(own.token);
    for (int guess = 1; guess <= 200; ++guess) {
        const auto forged = guess < honest ? guess : honest + guess;
        accepted += refund(id, std::to_string(forged), 1).status == 412 ? 0 : 1;
    }

    EXPECT_EQ(accepted, 0);
    expect_untouched();
    EXPECT_EQ(refund(id, own.token, 100).status, 201);
}

TEST_F(FenceRefusal, ALiveLeaseOfAnotherLockIsAMismatch) {
    for (const auto& lock : {fresh("payments/pay"), "payments/" + id + "/x", std::string(id)}) {
        const auto other = grant(lock);

        const auto refused = refund(id, other.token, 100);

        expect_problem(refused, 412, "fence_lock_mismatch");
        EXPECT_EQ(refused.json_text("lock"), own.lock);
        EXPECT_EQ(std::to_string(refused.json_int("presented_token")), other.token);
    }
    expect_untouched();
}

TEST_F(FenceRefusal, ALiveTokenInTheHandOfAnotherPrincipalIsRefused) {
    auto other = gateway().client(gateway().add_key("mallory", {"*"}));

    const auto refused =
        other.request("POST", "/v1/payments/" + id + "/refunds",
                      {{"X-Fence-Token", own.token}, {"Idempotency-Key", fresh("key")}});

    expect_problem(refused, 403, "fence_not_holder");
    EXPECT_EQ(refused.json_text("lock"), own.lock);
    expect_untouched();
    expect_problem(other.request("POST", "/v1/leases/" + own.lease_id + "/renew"), 403,
                   "fence_not_holder");
    expect_problem(other.request("DELETE", "/v1/leases/" + own.lease_id), 403, "fence_not_holder");
    EXPECT_EQ(refund(id, own.token, 100).status, 201) << "and its holder still holds it";
}

TEST_F(FenceRefusal, ACreateWithADeadTokenCreatesNothing) {
    release(own);
    const auto wanted = fresh("pay");

    const auto refused = client.request(
        "POST", "/v1/payments", {{"X-Fence-Token", own.token}, {"Idempotency-Key", fresh("key")}},
        R"({"id":")" + wanted + R"(","amount":100,"currency":"EUR"})");

    expect_problem(refused, 412, "lease_released");
    expect_problem(payment(wanted), 404, "payment_not_found");
}

TEST_F(FenceRefusal, AnUnreadableTokenOfTheLockToBreakIsRefused) {
    const auto target = "/v1/locks/" + own.lock;
    constexpr std::string_view kReason = R"({"reason":"stuck"})";

    expect_problem(client.request("DELETE", target, {}, kReason), 428, "fence_token_required");
    expect_problem(client.request("DELETE", target, {{"If-Fence-Token", "0"}}, kReason), 400,
                   "fence_token_malformed");
    const auto stale =
        client.request("DELETE", target, {{"If-Fence-Token", std::string(kHugestToken)}}, kReason);
    expect_problem(stale, 412, "fence_token_stale");
    EXPECT_EQ(std::to_string(stale.json_int("current_token")), own.token);
    EXPECT_EQ(lock(own.lock).json_text("state"), "held");
}

}  // namespace
}  // namespace fencegate::contract
