// Which locks make the trouble: /locks/hot of the admin listener.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class HotLocks : public GatewaySuite {
protected:
    Response hot(std::string_view query = "") {
        return admin.request("GET", "/locks/hot" + std::string(query));
    }

    HttpsClient admin = gateway().admin_client();
};

TEST_F(HotLocks, TellWhoWaitedWhatExpiredAndWhereWritesWereRefused) {
    const auto payment = create_payment();
    const auto held = grant_payment(payment);
    acquire(held.lock);
    acquire(held.lock, R"({"wait_ms":50})");
    release(held);
    refund(payment, held.token, 1);
    await_end(grant(held.lock, 100), "expired");

    EXPECT_THAT(hot(),
                Is(200,
                   R"({"window_seconds":3600,"most_waited":[{"lock":"$","waited_ms":"<50..>"}],)"
                   R"("most_contended":[{"lock":"$","contended":2}],)"
                   R"("most_expired":[{"lock":"$","expired":1}],)"
                   R"("most_refused":[{"lock":"$","refused":1,"at_most":1}]})",
                   held.lock, held.lock, held.lock, held.lock)
                    .with("Content-Type", "application/json"));
}

TEST_F(HotLocks, BeginWithTheHolderThatHasHeldLongest) {
    const auto first = grant(fresh("jobs/a"));
    const auto second = grant(fresh("jobs/b"));

    const auto answer = hot("?limit=100");

    EXPECT_THAT(answer, Is(200,
                           R"({"longest_held":[{"lock":"$","lease_id":"$"},)"
                           R"({"lock":"$","held_ms":"<..$>"}]})",
                           first.lock, first.lease_id, second.lock,
                           answer.json_int("/longest_held/0/held_ms")));
    EXPECT_THAT(hot("?limit=1"), Is(200, R"({"longest_held":["<any>"]})"));
}

TEST_F(HotLocks, TakeALimitAndNothingElse) {
    for (const auto* query : {"?limit=0", "?limit=101", "?limit=x", "?class=payments"})
        EXPECT_THAT(hot(query), Refused(400, "invalid_argument")) << query;
}

}  // namespace
}  // namespace fencegate::contract
