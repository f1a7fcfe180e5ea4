// The real gateway on PostgreSQL: the walk that a client takes, a restart, and a second gateway.
#include "tests/postgres/postgres_makers.hpp"
#include "tests/support/api_calls.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

GatewayOptions on(const std::string& url) {
    return {.configuration = "[store]\nkind = \"postgres\"\nurl = \"" + url + "\"\n"};
}

class ServeOnPostgres : public ::testing::Test {
protected:
    const std::string url = cluster().make_database();
    GatewayProcess gateway{on(url)};
    HttpsClient client = gateway.client();
};

TEST_F(ServeOnPostgres, AStaleRefundIsRefusedAndALiveOneIsMadeOnce) {
    ASSERT_EQ(create_payment(client, "pay_1", 1'000).status, 201);
    const auto first = acquire(client, "pay_1");
    ASSERT_EQ(first.status, 201);
    const auto stale = first.header("X-Fence-Token");
    ASSERT_EQ(refund(client, "pay_1", {.token = stale, .key = "one"}).status, 201);
    ASSERT_EQ(release(client, first.json_text("lease_id")).status, 204);
    const auto live = acquire(client, "pay_1").header("X-Fence-Token");

    const auto late = refund(client, "pay_1", {.token = stale, .key = "two"});
    EXPECT_EQ(late.status, 412);
    EXPECT_EQ(late.json_text("code"), "lease_released");
    EXPECT_EQ(refund(client, "pay_1", {.token = live, .key = "three"}).status, 201);
    EXPECT_EQ(refund(client, "pay_1", {.token = live, .key = "three"}).status, 201);
    EXPECT_EQ(amount_refunded(client, "pay_1"), 200);
    EXPECT_EQ(refunds_of(client, "pay_1").size(), 2u);
}

TEST_F(ServeOnPostgres, ARestartKeepsLeasesAnswersAndTheOrderOfTokens) {
    create_payment(client, "pay_1", 1'000);
    const auto token = acquire(client, "pay_1").header("X-Fence-Token");
    const auto before = refund(client, "pay_1", {.token = token, .key = "one"});
    client.close();
    gateway.kill9();
    gateway.start();
    client = gateway.client();

    const auto again = refund(client, "pay_1", {.token = token, .key = "one"});
    EXPECT_EQ(again.body, before.body);
    EXPECT_EQ(again.header("Idempotency-Replayed"), "true");
    EXPECT_EQ(refund(client, "pay_1", {.token = token, .key = "two"}).status, 201);
    const auto other = acquire(client, "pay_2").header("X-Fence-Token");
    EXPECT_GT(std::stoll(other), std::stoll(token));
    EXPECT_EQ(gateway.stop(), 0);
}

TEST_F(ServeOnPostgres, ASecondGatewayDeposesTheFirst) {
    create_payment(client, "pay_1", 1'000);
    const auto token = acquire(client, "pay_1").header("X-Fence-Token");
    GatewayProcess second{on(url)};
    auto there = second.client();

    const auto late = refund(client, "pay_1", {.token = token, .key = "one"});
    EXPECT_EQ(late.status, 503);
    EXPECT_EQ(gateway.wait_for_exit(), 70);
    EXPECT_EQ(amount_refunded(there, "pay_1"), 0);
    EXPECT_EQ(refund(there, "pay_1", {.token = token, .key = "one"}).status, 201);
}

TEST_F(ServeOnPostgres, ABackupIsTheServersToMake) {
    auto admin = gateway.admin_client();
    for (const auto* route : {"/backups", "/verify"}) {
        const auto refused = admin.request("POST", route);
        EXPECT_EQ(refused.status, 501);
        EXPECT_EQ(refused.json_text("code"), "not_supported");
        EXPECT_NE(refused.json_text("detail").find("pg_basebackup"), std::string::npos);
    }
}

TEST_F(ServeOnPostgres, AFolderWithAStoreOfItsOwnIsRefused) {
    GatewayProcess other;
    other.stop();
    EXPECT_THROW(other.restart_with(on(url).configuration), std::runtime_error);
    EXPECT_NE(other.output().find("store.db"), std::string::npos);
}

}  // namespace
}  // namespace fencegate::testing
