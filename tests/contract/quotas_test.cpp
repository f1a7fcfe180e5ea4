// Quotas: no principal holds or waits for more locks of a class than it may, and nobody else pays.
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
    HttpsClient wait_for(const Grant& held, std::int64_t place) {
        auto waiting =
            begin("POST", "/v1/locks/" + held.lock, kWait, {{"Authorization", "Bearer " + key}});
        await_waiters(held.lock, place);
        return waiting;
    }

    const std::string key = gateway().add_key(fresh("worker"), {"*"});
};

TEST_F(Quota, OfLocksHeldRefusesTheOneTooMany) {
    const auto first = grant(scarce());
    grant(scarce());

    const auto refused = acquire(scarce());

    expect_problem(refused, 429, "quota_exceeded");
    EXPECT_FALSE(refused.header("Retry-After").empty());
    EXPECT_EQ(acquire(fresh("plenty/lock")).status, 201) << "another class";
    auto other = gateway().client();
    EXPECT_EQ(other.request("POST", "/v1/locks/" + scarce()).status, 201);
    release(first);
    EXPECT_EQ(acquire(scarce()).status, 201);
}

TEST_F(Quota, OfLocksHeldIsGivenBackByAnExpiry) {
    const auto brief = grant(scarce(), 100);
    grant(scarce());

    await_end(brief, "expired");

    EXPECT_EQ(acquire(scarce()).status, 201);
}

TEST_F(Quota, OfLocksHeldCountsEveryNameOfALease) {
    const auto three = client.request(
        "POST", "/v1/leases", {},
        R"({"locks":[")" + scarce() + R"(",")" + scarce() + R"(",")" + scarce() + R"("]})");
    const auto two = client.request("POST", "/v1/leases", {},
                                    R"({"locks":[")" + scarce() + R"(",")" + scarce() + R"("]})");

    expect_problem(three, 429, "quota_exceeded");
    EXPECT_EQ(two.status, 201) << two.body;
    expect_problem(acquire(scarce()), 429, "quota_exceeded");
}

TEST_F(Quota, OfLocksHeldOutlivesARestart) {
    grant(scarce());
    grant(scarce());

    client.close();
    gateway().restart();
    client = gateway().client(key);

    expect_problem(acquire(scarce()), 429, "quota_exceeded");
}

TEST_F(Quota, OfWaitersRefusesTheOneTooMany) {
    const auto own = grant(scarce());
    auto waiting = wait_for(own, 1);

    const auto refused = acquire(own.lock, kWait);

    expect_problem(refused, 429, "quota_exceeded");
    EXPECT_FALSE(refused.header("Retry-After").empty());
    expect_problem(acquire(own.lock), 423, "lock_held");
    const auto elsewhere = grant(fresh("plenty/lock"));
    auto first = wait_for(elsewhere, 1);
    auto second = wait_for(elsewhere, 2);
    release(own);
    EXPECT_EQ(waiting.read_response().status, 201);
}

TEST_F(Quota, OfAWaiterWhoseTurnComesIsLookedAtThen) {
    auto other = gateway().client();
    const auto name = scarce();
    const auto held = grant_of(other.request("POST", "/v1/locks/" + name, {}, kWait));
    auto waiting = wait_for(held, 1);
    grant(scarce());
    grant(scarce());

    other.request("DELETE", "/v1/leases/" + held.lease_id);

    expect_problem(waiting.read_response(), 429, "quota_exceeded");
    EXPECT_EQ(lock(name).json_text("state"), "free");
    EXPECT_EQ(other.request("POST", "/v1/locks/" + name).status, 201);
}

}  // namespace
}  // namespace fencegate::contract
