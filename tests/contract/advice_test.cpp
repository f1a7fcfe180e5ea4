// Is the TTL right: GET /v1/classes/{class}/advice.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Advice : public GatewaySuite {};

TEST_F(Advice, TellsTheFiguresAndASentence) {
    for (int lease = 0; lease < 100; ++lease) release(grant(fresh("payments/pay")));

    EXPECT_THAT(get("/v1/classes/payments/advice"),
                Is(200, R"({"class":"payments","leases":"<100..>","expired":0,)"
                        R"("ttl_default_ms":30000,"verdict":"lower","advice":"<...would do...>",)"
                        R"("percent_left_p1":{"release":"<50..>"}})"));
}

TEST_F(Advice, IsThereForEveryClassAndForNoOther) {
    EXPECT_THAT(get("/v1/classes/other/advice"), Is(200, R"({"verdict":"too_few_leases"})"));
    EXPECT_THAT(get("/v1/classes/nobody/advice"), Refused(404, "lock_class_not_found"));
}

}  // namespace
}  // namespace fencegate::contract
