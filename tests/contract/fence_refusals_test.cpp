// A write is refused unless its token names the live grant that guards the row, and a refusal
// changes nothing. One row of the contract's status table after the other.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kHugestToken = "9007199254740991";  // 2^53 - 1

class FenceRefusal : public PaymentSuite {
protected:
    void expect_untouched() {
        EXPECT_EQ(refunded(id), 0);
        EXPECT_THAT(get("/v1/payments/" + id + "/refunds"), Is(200, R"({"data":[]})"));
    }
};

TEST_F(FenceRefusal, AWriteWithoutATokenIsRefused) {
    for (const char* action : {"captures", "refunds", "cancel"})
        EXPECT_THAT(move(action, id, ""),
                    Refused(428, "fence_token_required", R"({"lock":"$"})", own.lock));
    expect_untouched();
}

TEST_F(FenceRefusal, AMalformedTokenIsRefused) {
    for (const auto& token : Texts{"", "latest", "0", "0" + own.token, own.token + ".0",
                                   own.token + ", " + own.token, "9007199254740992"})
        EXPECT_THAT(move("refunds", id, fenced(token)), Refused(400, "fence_token_malformed"))
            << token;
    for (const auto& second : {own.token, std::string("7")}) {
        auto twice = fenced(own.token);
        twice.emplace_back("X-Fence-Token", second);
        EXPECT_THAT(move("refunds", id, twice), Refused(400, "fence_token_malformed")) << second;
    }
    expect_untouched();
}

// A fence kept as "the highest token seen" would now refuse every honest writer.
TEST_F(FenceRefusal, AForgedTokenIsUnknownAndDoesNotLockOutTheHolder) {
    const auto honest = std::stoll(own.token);
    for (const auto& forged :
         {std::to_string(honest + 1), std::to_string(honest + (std::int64_t{1} << 43)),
          std::string(kHugestToken)})
        EXPECT_THAT(refund(id, forged, 100),
                    Refused(412, "fence_token_unknown",
                            R"({"lock":"$","presented_token":$,"remedy":"<text>",)"
                            R"("current_token":"<absent>"})",
                            own.lock, forged))
            << "a guesser learns nothing";
    for (int guess = 1; guess <= 200; ++guess) {
        const auto forged = guess < honest ? guess : honest + guess;
        EXPECT_THAT(refund(id, std::to_string(forged), 1), Is(412)) << forged;
    }
    expect_untouched();
    EXPECT_THAT(refund(id, own.token, 100), Is(201));
    EXPECT_GT(std::stoll(grant(fresh("later")).token), honest);
}

TEST_F(FenceRefusal, ALiveLeaseOfAnotherLockIsAMismatch) {
    for (const auto& lock : {fresh("payments/pay"), "payments/" + id + "/x", std::string(id)}) {
        const auto other = grant(lock);

        EXPECT_THAT(refund(id, other.token, 100),
                    Refused(412, "fence_lock_mismatch", R"({"lock":"$","presented_token":$})",
                            own.lock, other.token));
    }
    expect_untouched();
}

TEST_F(FenceRefusal, ALiveTokenInTheHandOfAnotherPrincipalIsRefused) {
    auto other = as("mallory");
    const auto lease = "/v1/leases/" + own.lease_id;

    EXPECT_THAT(other.request("POST", "/v1/payments/" + id + "/refunds", fenced(own.token)),
                Refused(403, "fence_not_holder", R"({"lock":"$"})", own.lock));
    EXPECT_THAT(other.request("POST", lease + "/renew"), Refused(403, "fence_not_holder"));
    EXPECT_THAT(other.request("DELETE", lease), Refused(403, "fence_not_holder"));
    expect_untouched();
    EXPECT_THAT(refund(id, own.token, 100), Is(201)) << "and its holder still holds it";
}

TEST_F(FenceRefusal, ACreateWithADeadTokenCreatesNothing) {
    release(own);
    const auto wanted = fresh("pay");

    EXPECT_THAT(post("/v1/payments", filled(R"({"id":"$","amount":100,"currency":"EUR"})", wanted),
                     fenced(own.token)),
                Refused(412, "lease_released"));
    EXPECT_THAT(payment(wanted), Refused(404, "payment_not_found"));
}

TEST_F(FenceRefusal, ABreakNeedsTheTokenThatIsThere) {
    const auto break_with = [&](const Headers& headers) {
        return remove("/v1/locks/" + own.lock, headers, R"({"reason":"stuck"})");
    };

    EXPECT_THAT(break_with({}), Refused(428, "fence_token_required"));
    EXPECT_THAT(break_with({{"If-Fence-Token", "0"}}), Refused(400, "fence_token_malformed"));
    EXPECT_THAT(break_with({{"If-Fence-Token", std::string(kHugestToken)}}),
                Refused(412, "fence_token_stale", R"({"current_token":$})", own.token));
    EXPECT_EQ(state_of(own), "live");
}

}  // namespace
}  // namespace fencegate::contract
