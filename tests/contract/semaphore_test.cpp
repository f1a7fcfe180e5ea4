// Semaphores: so many holders at once, each under a token of its own, and all of one mind.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class Semaphore : public GatewaySuite {};

TEST_F(Semaphore, LetsInAsManyAsItHasPermits) {
    const auto name = fresh("lock");
    std::vector<Grant> holders;
    for (int holder = 0; holder < 3; ++holder) {
        const auto granted = acquire(name, R"({"permits":3})");
        EXPECT_THAT(granted, Is(201, R"({"mode":"semaphore","permits":3})"));
        holders.push_back(grant_of(granted));
    }

    EXPECT_THAT(acquire(name, R"({"permits":3})"), Refused(423, "lock_held"));
    EXPECT_LT(std::stoll(holders[0].token), std::stoll(holders[1].token));
    EXPECT_THAT(lock(name), Is(200, R"({"mode":"semaphore","permits":3,"holder_count":3})"));
    release(holders[1]);
    EXPECT_THAT(acquire(name, R"({"mode":"semaphore","permits":3})"), Is(201));
}

TEST_F(Semaphore, IsNoWriteFence) {
    const auto id = create_payment();
    const auto one_of_one = grant_of(acquire("payments/" + id, R"({"permits":1})"));

    EXPECT_THAT(refund(id, one_of_one.token, 100),
                Refused(412, "fence_lock_mismatch", R"({"lease_mode":"semaphore"})"));
    EXPECT_EQ(refunded(id), 0);
}

TEST_F(Semaphore, OfAnotherKindIsAConflictAndNotAWaitUntilTheLockIsFree) {
    for (const auto& [in_use, asked_for] :
         {std::pair(R"({"permits":2})", R"({"permits":3,"wait_ms":1000})"),
          {R"({"permits":2})", R"({"permits":1})"},
          {R"({"permits":2})", R"({"wait_ms":1000})"},
          {R"({"permits":2})", R"({"mode":"shared"})"},
          {"{}", R"({"permits":2})"},
          {R"({"mode":"shared"})", R"({"permits":2})"}}) {
        SCOPED_TRACE(filled("$ while $", asked_for, in_use));
        const auto held = grant_of(acquire(fresh("lock"), in_use));

        EXPECT_THAT(acquire(held.lock, asked_for), Refused(409, "lock_mode_conflict"));

        release(held);
        EXPECT_THAT(acquire(held.lock, asked_for), Is(201));
    }
}

TEST_F(Semaphore, WithoutPermitsThatMakeSenseIsRefused) {
    const auto name = fresh("lock");

    for (const auto* body :
         {R"({"mode":"semaphore"})", R"({"permits":0})", R"({"permits":-1})", R"({"permits":1001})",
          R"({"permits":9223372036854775807})", R"({"mode":"exclusive","permits":1})",
          R"({"mode":"shared","permits":2})"})
        EXPECT_THAT(acquire(name, body), Refused(400, "invalid_argument")) << body;

    EXPECT_THAT(acquire(name, R"({"permits":1000})"), Is(201));
}

}  // namespace
}  // namespace fencegate::contract
