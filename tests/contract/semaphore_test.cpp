// Semaphores: so many holders at once, each under a token of its own, and all of one mind.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class Semaphore : public GatewaySuite {};

TEST_F(Semaphore, LetsInAsManyAsItHasPermits) {
    const auto name = fresh("lock");
    std::vector<Grant> holders;
    for (int holder = 0; holder < 3; ++holder)
        holders.push_back(grant_of(acquire(name, R"({"permits":3})")));

    const auto refused = acquire(name, R"({"permits":3})");

    expect_problem(refused, 423, "lock_held");
    EXPECT_LT(std::stoll(holders[0].token), std::stoll(holders[1].token));
    EXPECT_LT(std::stoll(holders[1].token), std::stoll(holders[2].token));
    const auto held = lock(name);
    EXPECT_EQ(held.json_text("mode"), "semaphore");
    EXPECT_EQ(held.json_int("permits"), 3);
    EXPECT_EQ(held.json_int("holder_count"), 3);
    release(holders[1]);
    EXPECT_EQ(acquire(name, R"({"mode":"semaphore","permits":3})").status, 201);
}

TEST_F(Semaphore, SaysSoInItsGrant) {
    const auto granted = acquire(fresh("lock"), R"({"permits":2})");

    ASSERT_EQ(granted.status, 201) << granted.body;
    EXPECT_EQ(granted.json_text("mode"), "semaphore");
    EXPECT_EQ(granted.json_int("permits"), 2);
}

TEST_F(Semaphore, LetsOneWaiterInForEachThatLeaves) {
    constexpr std::string_view kWait = R"({"permits":2,"ttl_ms":60000,"wait_ms":60000})";
    const auto name = fresh("lock");
    const auto first = grant_of(acquire(name, R"({"permits":2})"));
    grant_of(acquire(name, R"({"permits":2})"));
    auto next = stand_in_line(name, 1, kWait);
    auto last = stand_in_line(name, 2, kWait);

    release(first);

    const auto granted = grant_of(next.read_response());
    EXPECT_EQ(lock(name).json_int("waiters"), 1);
    EXPECT_EQ(lock(name).json_int("holder_count"), 2);
    release(granted);
    EXPECT_EQ(last.read_response().status, 201);
}

TEST_F(Semaphore, IsNoWriteFence) {
    const auto id = create_payment();
    const auto one_of_one = grant_of(acquire("payments/" + id, R"({"permits":1})"));

    const auto refused = refund(id, one_of_one.token, 100);

    expect_problem(refused, 412, "fence_lock_mismatch");
    EXPECT_EQ(refused.json_text("lease_mode"), "semaphore");
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

struct KindRow {
    const char* name;
    const char* in_use;
    const char* asked_for;
};

std::ostream& operator<<(std::ostream& out, const KindRow& row) { return out << row.name; }

class OtherKind : public GatewaySuite, public ::testing::WithParamInterface<KindRow> {};

TEST_P(OtherKind, IsAConflictAndNotAWaitUntilTheLockIsFree) {
    const auto name = fresh("lock");
    const auto held = grant_of(acquire(name, GetParam().in_use));

    expect_problem(acquire(name, GetParam().asked_for), 409, "lock_mode_conflict");

    release(held);
    EXPECT_EQ(acquire(name, GetParam().asked_for).status, 201);
}

INSTANTIATE_TEST_SUITE_P(
    Contract, OtherKind,
    ::testing::Values(KindRow{"MorePermits", R"({"permits":2})", R"({"permits":3,"wait_ms":1000})"},
                      KindRow{"FewerPermits", R"({"permits":2})", R"({"permits":1})"},
                      KindRow{"ExclusiveForASemaphore", R"({"permits":2})", R"({"wait_ms":1000})"},
                      KindRow{"SharedForASemaphore", R"({"permits":2})", R"({"mode":"shared"})"},
                      KindRow{"SemaphoreForAnExclusive", "{}", R"({"permits":2})"},
                      KindRow{"SemaphoreForAShared", R"({"mode":"shared"})", R"({"permits":2})"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(Semaphore, WithoutPermitsThatMakeSenseIsRefused) {
    const auto name = fresh("lock");

    for (const auto* body :
         {R"({"mode":"semaphore"})", R"({"permits":0})", R"({"permits":-1})", R"({"permits":1001})",
          R"({"permits":9223372036854775807})", R"({"mode":"exclusive","permits":1})",
          R"({"mode":"shared","permits":2})"}) {
        SCOPED_TRACE(body);
        expect_problem(acquire(name, body), 400, "invalid_argument");
    }

    EXPECT_EQ(lock(name).json_text("state"), "free");
    EXPECT_EQ(acquire(name, R"({"permits":1000})").status, 201);
}

}  // namespace
}  // namespace fencegate::contract
