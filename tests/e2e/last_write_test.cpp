// A worker that dies right after its last write, having read no answer. The write and the end of
// the lease are there together or not at all, whoever else dies meanwhile.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

namespace fencegate::testing {
namespace {

constexpr std::int64_t kLongTtl = 3'600'000;  // whoever waits for its end waits in vain

std::string last_refund(const GatewayProcess& gateway, std::string_view payment,
                        const RefundCall& call) {
    auto request = refund_request(gateway, payment, call);
    request.insert(request.find("\r\n") + 2, "X-Fence-Release: 1\r\n");
    return request;
}

std::string lease_state(HttpsClient& client, const Response& grant) {
    return client.request("GET", grant.header("Location")).json_text("state");
}

// Sent, and then its sender is gone without a goodbye.
void send_and_die(const GatewayProcess& gateway, const std::string& request) {
    auto worker = gateway.client();
    worker.connect();
    worker.send_raw(request);
}

TEST(LastWrite, OfAWorkerThatDiesLeavesNoLeaseBehind) {
    GatewayProcess gateway;
    auto client = gateway.client();
    create_payment(client, "pay_42", 1'000);
    const auto grant = acquire(client, "pay_42", {.ttl_ms = kLongTtl});
    const RefundCall call{.token = grant.header("X-Fence-Token"), .key = "job-1"};
    // Whether it was heard before it died nobody knows; its key does.
    send_and_die(gateway, last_refund(gateway, "pay_42", call));

    client.send_raw(last_refund(gateway, "pay_42", call));

    EXPECT_THAT(client.read_response(), Is(201).with("X-Fence-Status", "released"));
    EXPECT_THAT(acquire(client, "pay_42", {.owner = "successor"}), Is(201));
    EXPECT_EQ(amount_refunded(client, "pay_42"), 100);
}

TEST(LastWrite, IsThereWithTheEndOfItsLeaseOrNotAtAllAfterAKill) {
    GatewayProcess gateway;
    int done = 0;
    constexpr int kRounds = 12;
    for (int round = 0; round < kRounds; ++round) {
        auto client = gateway.client();
        const auto payment = "pay_" + std::to_string(round);
        create_payment(client, payment, 1'000);
        const auto grant = acquire(client, payment, {.ttl_ms = kLongTtl});
        const RefundCall call{.token = grant.header("X-Fence-Token"), .key = "job-" + payment};
        // Every other one is killed before anybody knows how far it has come.
        client.send_raw(last_refund(gateway, payment, call));
        if (round % 2 != 0) {
            EXPECT_THAT(client.read_response(), Is(201));
        }

        gateway.kill9();
        gateway.start();

        auto after = gateway.client();
        const bool is_refunded = amount_refunded(after, payment) == 100;
        EXPECT_EQ(lease_state(after, grant), is_refunded ? "released" : "live") << payment;
        after.send_raw(last_refund(gateway, payment, call));
        EXPECT_THAT(after.read_response(),
                    Is(201)
                        .with("X-Fence-Status", "released")
                        .with("Idempotency-Replayed", is_refunded ? "true" : "<absent>"));
        EXPECT_EQ(amount_refunded(after, payment), 100);
        done += is_refunded ? 1 : 0;
    }
    EXPECT_GE(done, kRounds / 2) << "who was answered must find it done";
}

}  // namespace
}  // namespace fencegate::testing
