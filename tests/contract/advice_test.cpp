// Is the TTL right: GET /v1/classes/{class}/advice.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Advice : public GatewaySuite {};

TEST_F(Advice, TellsTheFiguresAndASentence) {
    for (int lease = 0; lease < 100; ++lease) release(grant(fresh("payments/pay")));

    const auto answer = get("/v1/classes/payments/advice");

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.json_text("class"), "payments");
    EXPECT_GE(answer.json_int("leases"), 100);
    EXPECT_EQ(answer.json_int("expired"), 0);
    EXPECT_EQ(answer.json_int("ttl_default_ms"), 30'000);
    EXPECT_EQ(answer.json_text("verdict"), "lower") << answer.body;
    EXPECT_TRUE(contains(answer.json_text("advice"), "would do")) << answer.body;
    EXPECT_GE(answer.json_int("/percent_left_p1/release"), 50);
}

TEST_F(Advice, IsThereForEveryClassAndForNoOther) {
    EXPECT_EQ(get("/v1/classes/other/advice").json_text("verdict"), "too_few_leases");
    expect_problem(get("/v1/classes/nobody/advice"), 404, "lock_class_not_found");
    expect_problem(get("/v1/classes/payments/advice?since=1"), 400, "invalid_argument");
    expect_problem(client.request("POST", "/v1/classes/payments/advice", {}, "{}"), 405,
                   "method_not_allowed");
}

TEST_F(Advice, NeedsAKeyThatMayReadLocks) {
    auto reader = gateway().client(gateway().add_key("reader", {"locks:read"}));
    auto payer = gateway().client(gateway().add_key("payer", {"payments:write"}));

    EXPECT_EQ(reader.request("GET", "/v1/classes/payments/advice").status, 200);
    expect_problem(payer.request("GET", "/v1/classes/payments/advice"), 403, "forbidden");
}

}  // namespace
}  // namespace fencegate::contract
