// Quotas over the wire: 429 for the lock or the place in line too many. What is counted, and when,
// is told by the suite of the store's commands.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

constexpr std::string_view kWait = R"({"wait_ms":60000,"ttl_ms":60000})";

class Quota : public GatewaySuite {
protected:
    static void SetUpTestSuite() {
        start(
            "[class.scarce]\nlocks_per_principal_max = 2\nwaiters_per_principal_max = 1\n"
            "[class.plenty]\nttl_default = \"30s\"\n");
    }
    // A principal of its own: what another test holds is not counted.
    Quota() { client = gateway().client(key); }

    static std::string scarce() { return fresh("scarce/lock"); }
    static auto is_refused() { return Refused(429, "quota_exceeded").with("Retry-After", "<any>"); }

    const std::string key = gateway().add_key(fresh("worker"), {"*"});
    HttpsClient other = gateway().client();
};

TEST_F(Quota, OfLocksHeldRefusesTheOneTooMany) {
    const auto first = grant(scarce());
    grant(scarce());

    EXPECT_THAT(acquire(scarce()), is_refused());
    EXPECT_THAT(acquire(fresh("plenty/lock")), Is(201)) << "another class";
    EXPECT_THAT(other.request("POST", "/v1/locks/" + scarce()), Is(201)) << "another principal";
    release(first);
    EXPECT_THAT(acquire_all({scarce(), scarce()}), is_refused());
    EXPECT_THAT(acquire(scarce()), Is(201));
}

TEST_F(Quota, OfWaitersRefusesTheOneTooManyAndIsLookedAtWhenItsTurnComes) {
    const auto held = grant_of(other.request("POST", "/v1/locks/" + scarce(), {}, kWait));
    auto waiting =
        begin("POST", "/v1/locks/" + held.lock, kWait, {{"Authorization", "Bearer " + key}});
    await_waiters(held.lock, 1);

    EXPECT_THAT(acquire(held.lock, kWait), is_refused());
    EXPECT_THAT(acquire(held.lock), Refused(423, "lock_held"));

    grant(scarce());
    grant(scarce());
    other.request("DELETE", "/v1/leases/" + held.lease_id);
    EXPECT_THAT(waiting.read_response(), is_refused());
    EXPECT_EQ(state_of(held.lock), "free");
}

}  // namespace
}  // namespace fencegate::contract
