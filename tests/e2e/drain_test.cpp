// SIGTERM while clients are at work: who was promised an answer gets it.
#include "tests/e2e/steady_load.hpp"
#include "tests/support/stopwatch.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace fencegate::testing {
namespace {

constexpr const char* kPayment = "pay_42";

// A refund whose last byte is still to come: it keeps the gateway draining for as long as a test
// needs that.
class HeldRequest {
public:
    explicit HeldRequest(const GatewayProcess& gateway) : client_(gateway.client()) {
        create_payment(client_, kPayment, 5'000);
        const auto grant = acquire(client_, kPayment);
        request_ = refund_request(gateway, kPayment,
                                  {.token = grant.header("X-Fence-Token"), .key = "held"});
        client_.send_raw(std::string_view(request_).substr(0, request_.size() - 1));
    }

    Response finish() {
        client_.send_raw(std::string_view(request_).substr(request_.size() - 1));
        return client_.read_response();
    }

private:
    HttpsClient client_;
    std::string request_;
};

void await_draining(HttpsClient& admin) {
    await("not ready", [&] { return admin.request("GET", "/readyz").status == 503; });
}

TEST(Drain, LosesNoRequestOfABusyClient) {
    constexpr std::size_t kClients = 12;
    GatewayProcess gateway;
    SteadyLoad load(gateway, kClients);
    load.await_answers(200);

    gateway.signal(SIGTERM);
    const auto report = load.await_end();

    EXPECT_EQ(gateway.wait_for_exit(), 0);
    expect_all_answered(report);
    EXPECT_EQ(report.told_to_close, kClients);
}

TEST(Drain, KeepsWhatItAcknowledgedLast) {
    GatewayProcess gateway;
    HeldRequest held(gateway);
    auto admin = gateway.admin_client();
    gateway.signal(SIGTERM);
    await_draining(admin);
    const auto refunded = held.finish();
    ASSERT_EQ(gateway.wait_for_exit(), 0);

    gateway.start();

    auto client = gateway.client();
    const auto refunds = refunds_of(client, kPayment);
    ASSERT_EQ(refunds.size(), 1U);
    EXPECT_EQ(refunds.front().id, refunded.json_text("id"));
}

TEST(Drain, StopsAtOnceOnASecondSignal) {
    GatewayProcess gateway;
    auto admin = gateway.admin_client();
    const HeldRequest held(gateway);
    gateway.signal(SIGTERM);
    await_draining(admin);

    const Stopwatch stopping;
    gateway.signal(SIGTERM);

    EXPECT_EQ(gateway.wait_for_exit(), 0);
    EXPECT_LT(stopping.elapsed(), std::chrono::seconds(5));  // drain_timeout is 30 s
}

TEST(Drain, DoesNotWaitForIdleConnections) {
    GatewayProcess gateway;
    std::vector<HttpsClient> idle;
    for (int at = 0; at < 50; ++at) {
        idle.push_back(gateway.client());
        idle.back().request("GET", "/v1/locks/a");
    }

    const Stopwatch stopping;
    EXPECT_EQ(gateway.stop(), 0);

    EXPECT_LT(stopping.elapsed(), std::chrono::seconds(5));
    for (auto& client : idle) EXPECT_TRUE(client.closed_by_peer());
}

}  // namespace
}  // namespace fencegate::testing
