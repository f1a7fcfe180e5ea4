// A lease while it lives: renewed, inspected, released, broken.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Leases : public GatewaySuite {};

TEST_F(Leases, ARenewalKeepsTheTokenAndTheId) {
    const auto own = grant(fresh("lock"), 10'000);

    const auto renewed = renew(own);

    ASSERT_EQ(renewed.status, 200) << renewed.body;
    EXPECT_EQ(renewed.header("X-Fence-Token"), own.token);
    EXPECT_EQ(std::to_string(renewed.json_int("fencing_token")), own.token);
    EXPECT_EQ(renewed.json_text("lease_id"), own.lease_id);
    EXPECT_EQ(renewed.json_int("remaining_ms"), 10'000);
}

TEST_F(Leases, ARenewalMayChangeTheTtl) {
    const auto own = grant(fresh("lock"), 10'000);

    const auto renewed = renew(own, R"({"ttl_ms":45000})");

    ASSERT_EQ(renewed.status, 200) << renewed.body;
    EXPECT_EQ(renewed.json_int("ttl_ms"), 45'000);
    EXPECT_EQ(renewed.json_int("remaining_ms"), 45'000);
    EXPECT_EQ(client.request("GET", "/v1/leases/" + own.lease_id).json_int("ttl_ms"), 45'000);
}

TEST_F(Leases, ARenewalOutOfRangeChangesNothing) {
    const auto own = grant(fresh("lock"), 10'000);

    for (const auto* body : {R"({"ttl_ms":99})", R"({"ttl_ms":3600001})", R"({"ttl_ms":-1})"}) {
        expect_problem(renew(own, body), 400, "invalid_argument");
    }
    expect_problem(renew(own, R"({"ttl":1000})"), 400, "invalid_json");

    EXPECT_EQ(client.request("GET", "/v1/leases/" + own.lease_id).json_int("ttl_ms"), 10'000);
}

TEST_F(Leases, RenewedInTimeOutliveTheirFirstTtl) {
    const auto own = grant(fresh("lock"), 500);
    const Deadline first_ttl(std::chrono::milliseconds(1'000));

    // Every answer arrives before the next renewal is sent, far more often than the TTL needs.
    while (!first_ttl.has_passed()) ASSERT_EQ(renew(own).status, 200);

    EXPECT_EQ(client.request("GET", "/v1/leases/" + own.lease_id).json_text("state"), "live");
}

TEST_F(Leases, AReleaseFreesTheLockAndSealsTheTokenAtOnce) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    const auto released = client.request("DELETE", "/v1/leases/" + own.lease_id);

    EXPECT_EQ(released.status, 204);
    EXPECT_TRUE(released.body.empty());
    EXPECT_EQ(released.header_count("Content-Length"), 0U);
    EXPECT_EQ(lock(own.lock).json_text("state"), "free");
    expect_problem(refund(id, own.token, 100), 412, "lease_released");
}

TEST_F(Leases, CanBeInspected) {
    const auto own = grant(fresh("lock"), 10'000);

    const auto lease = client.request("GET", "/v1/leases/" + own.lease_id);

    ASSERT_EQ(lease.status, 200) << lease.body;
    EXPECT_EQ(lease.json_text("lease_id"), own.lease_id);
    EXPECT_EQ(lease.json_text("lock"), own.lock);
    EXPECT_EQ(lease.json_text("state"), "live");
    EXPECT_EQ(std::to_string(lease.json_int("fencing_token")), own.token);
    EXPECT_GT(lease.json_int("remaining_ms"), 0);
    EXPECT_LE(lease.json_int("remaining_ms"), 10'000);
    EXPECT_FALSE(lease.has("ended_at"));
}

TEST_F(Leases, OfALockAreShownToWhoLooksAtTheLock) {
    const auto name = fresh("lock");
    const auto free = lock(name);
    const auto own = grant(name, 10'000);

    const auto held = lock(name);

    ASSERT_EQ(free.status, 200) << free.body;
    EXPECT_EQ(free.json_text("state"), "free");
    EXPECT_FALSE(free.has("holder"));
    ASSERT_EQ(held.status, 200) << held.body;
    EXPECT_EQ(held.json_text("lock"), name);
    EXPECT_EQ(held.json_text("state"), "held");
    EXPECT_EQ(held.json_int("waiters"), 0);
    EXPECT_EQ(held.json_text("/holder/lease_id"), own.lease_id);
    EXPECT_EQ(std::to_string(held.json_int("/holder/fencing_token")), own.token);
    EXPECT_LE(held.json_int("/holder/remaining_ms"), 10'000);
    EXPECT_FALSE(held.json_text("/holder/principal").empty());
}

TEST_F(Leases, ABreakEndsExactlyTheLeaseThatWasSeen) {
    const auto own = grant(fresh("lock"));
    const auto target = "/v1/locks/" + own.lock;
    const Headers seen{{"If-Fence-Token", own.token}};

    const auto broken = client.request("DELETE", target, seen, R"({"reason":"stuck"})");

    ASSERT_EQ(broken.status, 200) << broken.body;
    EXPECT_EQ(broken.json_text("state"), "broken");
    EXPECT_EQ(broken.json_text("lease_id"), own.lease_id);
    expect_problem(client.request("DELETE", target, seen, R"({"reason":"stuck"})"), 404,
                   "lock_not_held");
    const auto next = grant(own.lock);
    expect_problem(client.request("DELETE", target, seen, R"({"reason":"stuck"})"), 412,
                   "fence_token_stale");
    EXPECT_EQ(lock(own.lock).json_text("/holder/lease_id"), next.lease_id);
}

TEST_F(Leases, ABreakNeedsAReason) {
    const auto own = grant(fresh("lock"));
    const auto target = "/v1/locks/" + own.lock;
    const Headers seen{{"If-Fence-Token", own.token}};

    expect_problem(client.request("DELETE", target, seen), 400, "invalid_argument");
    expect_problem(client.request("DELETE", target, seen, R"({"reason":""})"), 400,
                   "invalid_argument");

    EXPECT_EQ(lock(own.lock).json_text("state"), "held");
}

TEST_F(Leases, SurviveARestartWithTheirFullTtl) {
    const auto id = create_payment();
    const auto own = grant_payment(id);

    client.close();
    gateway().restart();
    client = gateway().client();

    const auto lease = client.request("GET", "/v1/leases/" + own.lease_id);
    EXPECT_EQ(lease.json_text("state"), "live");
    expect_problem(acquire(own.lock), 423, "lock_held");
    EXPECT_EQ(refund(id, own.token, 100).status, 201);
    EXPECT_GT(std::stoll(grant(fresh("lock")).token), std::stoll(own.token));
}

}  // namespace
}  // namespace fencegate::contract
