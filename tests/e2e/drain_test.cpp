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
        auto options = gateway.client_options();
        options.api_key = gateway.api_key();
        request_ = refund_request(options, kPayment,
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
    const Deadline deadline(std::chrono::seconds(10));
    while (admin.request("GET", "/readyz").status != 503) ASSERT_FALSE(deadline.has_passed());
}

TEST(Drain, LosesNoRequestOfABusyClient) {
    constexpr std::size_t kClients = 12;
    GatewayProcess gateway;
    SteadyLoad load(gateway, kClients);
    load.await_answers(200);

    gateway.signal(SIGTERM);
    const auto report = load.await_end();

    EXPECT_EQ(gateway.wait_for_exit(), 0);
    EXPECT_EQ(report.lost, 0U);
    EXPECT_EQ(report.failed, 0U);
    for (const auto& problem : report.problems) ADD_FAILURE() << problem;
    EXPECT_EQ(report.told_to_close, kClients);
}

TEST(Drain, FinishesTheRequestAtHandWhileTheAdminListenerServes) {
    GatewayProcess gateway;
    auto admin = gateway.admin_client();
    HeldRequest held(gateway);

    gateway.signal(SIGTERM);
    await_draining(admin);
    EXPECT_EQ(admin.request("GET", "/healthz").status, 200);
    EXPECT_EQ(metric(admin, "fencegate_draining"), "1");
    EXPECT_THROW(gateway.client(), std::runtime_error);  // nobody new is let in
    const auto refunded = held.finish();

    EXPECT_EQ(refunded.status, 201);
    EXPECT_EQ(refunded.header("Connection"), "close");
    EXPECT_EQ(gateway.wait_for_exit(), 0);
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

TEST(Drain, TellsWaitersToComeBack) {
    GatewayProcess gateway;
    auto holder = gateway.client();
    ASSERT_EQ(acquire(holder, kPayment).status, 201);
    auto waiter = gateway.client();
    const std::string body = R"({"wait_ms":20000})";
    waiter.send_raw(std::string("POST /v1/locks/payments/") + kPayment +
                    " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + gateway.api_key() +
                    "\r\nContent-Type: application/json\r\nContent-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
    const Deadline deadline(std::chrono::seconds(10));
    const auto target = std::string("/v1/locks/payments/") + kPayment;
    while (holder.request("GET", target).json_int("waiters") != 1)
        ASSERT_FALSE(deadline.has_passed());

    gateway.signal(SIGTERM);
    const auto answer = waiter.read_response();

    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.json_text("code"), "draining");
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_EQ(gateway.wait_for_exit(), 0);
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
