// The double refund: a holder is paused past its lease, another takes over and refunds, the first
// wakes up and refunds again. Every story is told twice, to the gateway and to one whose fence is
// off: what the second does shows that the first would be caught.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace fencegate::testing {
namespace {

constexpr const char* kPayment = "pay_42";
constexpr std::int64_t kAmount = 2'000;
constexpr const char* kStaleChecks =
    R"(fencegate_fence_checks_total{class="payments",result="stale"})";

GatewayOptions fenced() { return {}; }
GatewayOptions unfenced() { return {.binary = FENCEGATE_UNFENCED_BINARY}; }

ChildOptions worker_options(const GatewayProcess& gateway, const std::string& owner,
                            const std::string& ttl_ms) {
    return {.binary = FENCEGATE_REFUND_WORKER,
            .arguments = {gateway.listen().host, std::to_string(gateway.listen().port),
                          gateway.ca_file().string(), gateway.api_key(), kPayment, owner, ttl_ms,
                          std::to_string(kAmount), "refund-by-" + owner}};
}

std::string ask(ChildProcess& worker, std::string_view command) {
    worker.write_line(command);
    return worker.read_line();
}

std::string first_word(const std::string& line) { return line.substr(0, line.find(' ')); }

// How a story ended.
struct Ending {
    std::string successor;  // what B's refund was answered
    std::string late;       // what A's was
    std::size_t refunds = 0;
    std::int64_t refunded = 0;
    std::string stale_checks;
};

Ending read_ending(const GatewayProcess& gateway, std::string successor, std::string late) {
    auto client = gateway.client();
    auto admin = gateway.admin_client();
    return {.successor = std::move(successor),
            .late = std::move(late),
            .refunds = refunds_of(client, kPayment).size(),
            .refunded = amount_refunded(client, kPayment),
            .stale_checks = metric(admin, kStaleChecks)};
}

std::string told(const Response& response) {
    const bool is_done = response.status == 201;
    return std::to_string(response.status) + " " + (is_done ? "ok" : response.json_text("code"));
}

void expect_one_refund(const Ending& ending) {
    EXPECT_EQ(ending.successor, "201 ok");
    EXPECT_EQ(ending.late, "412 fence_token_stale");
    EXPECT_EQ(ending.refunds, 1U);
    EXPECT_EQ(ending.refunded, kAmount);
    EXPECT_EQ(ending.stale_checks, "1");
}

void expect_double_refund(const Ending& ending) {
    EXPECT_EQ(ending.successor, "201 ok");
    EXPECT_EQ(ending.late, "201 ok");
    EXPECT_EQ(ending.refunds, 2U);
    EXPECT_EQ(ending.refunded, 2 * kAmount);
    EXPECT_EQ(ending.stale_checks, "0");
}

// The process is stopped between taking the lock and using it: a long GC, a moved VM.
Ending pause_the_worker(const GatewayOptions& options) {
    GatewayProcess gateway(options);
    auto client = gateway.client();
    create_payment(client, kPayment, 2 * kAmount);
    ChildProcess a(worker_options(gateway, "a", "1000"));
    ChildProcess b(worker_options(gateway, "b", "30000"));
    EXPECT_EQ(first_word(ask(a, "acquire")), "granted");

    a.pause();
    a.write_line("refund");
    EXPECT_EQ(first_word(ask(b, "acquire 10000")), "granted");  // waits for A's lease to run out
    auto successor = ask(b, "refund");
    a.signal(SIGCONT);
    auto late = a.read_line();
    return read_ending(gateway, std::move(successor), std::move(late));
}

TEST(DoubleRefund, APausedWorkerIsFencedOut) { expect_one_refund(pause_the_worker(fenced())); }

TEST(DoubleRefund, APausedWorkerRefundsTwiceWithoutTheFence) {
    expect_double_refund(pause_the_worker(unfenced()));
}

// The worker is fine, its request is not: all but the last byte has arrived when B takes over.
Ending delay_the_request(const GatewayOptions& options) {
    GatewayProcess gateway(options);
    auto a = gateway.client();
    auto b = gateway.client();
    create_payment(b, kPayment, 2 * kAmount);
    auto a_options = gateway.client_options();
    a_options.api_key = gateway.api_key();
    const auto grant = acquire(a, kPayment, {.ttl_ms = 300});
    const std::string request = refund_request(
        a_options, kPayment,
        {.token = grant.header("X-Fence-Token"), .key = "a", .amount_minor = kAmount});

    a.send_raw(std::string_view(request).substr(0, request.size() - 1));
    const auto next = acquire(b, kPayment, {.wait_ms = 10'000});
    const auto successor = refund(
        b, kPayment, {.token = next.header("X-Fence-Token"), .key = "b", .amount_minor = kAmount});
    a.send_raw(std::string_view(request).substr(request.size() - 1));
    const auto late = a.read_response();
    return read_ending(gateway, told(successor), told(late));
}

TEST(DoubleRefund, ADelayedRequestIsFencedOut) { expect_one_refund(delay_the_request(fenced())); }

TEST(DoubleRefund, ADelayedRequestRefundsTwiceWithoutTheFence) {
    expect_double_refund(delay_the_request(unfenced()));
}

void await_waiters(const GatewayProcess& gateway, std::int64_t count) {
    auto client = gateway.client();
    const Deadline deadline(std::chrono::seconds(10));
    const auto target = std::string("/v1/locks/payments/") + kPayment;
    while (client.request("GET", target).json_int("waiters") != count)
        ASSERT_FALSE(deadline.has_passed());
}

// The gateway itself stands still past the TTL. A's refund waits in its socket meanwhile. What the
// gateway took is given back: A still holds the lock when time goes on, and B is granted after it.
TEST(DoubleRefund, APausedGatewayGivesItsHolderTheTimeBack) {
    GatewayProcess gateway(fenced());
    auto a_options = gateway.client_options();
    a_options.api_key = gateway.api_key();
    a_options.deadline = std::chrono::milliseconds(1'500);
    HttpsClient a(a_options);
    auto b = gateway.client();
    create_payment(b, kPayment, kAmount);
    const auto grant = acquire(a, kPayment, {.ttl_ms = 1'000});
    const std::string wait = R"({"wait_ms":20000})";
    b.send_raw("POST /v1/locks/payments/" + std::string(kPayment) +
               " HTTP/1.1\r\nHost: " + a_options.host + "\r\nAuthorization: Bearer " +
               a_options.api_key + "\r\nContent-Type: application/json\r\nContent-Length: " +
               std::to_string(wait.size()) + "\r\n\r\n" + wait);
    await_waiters(gateway, 1);

    gateway.pause();
    a.send_raw(refund_request(
        a_options, kPayment,
        {.token = grant.header("X-Fence-Token"), .key = "a", .amount_minor = kAmount}));
    EXPECT_FALSE(a.closed_by_peer());  // nothing at all is said for longer than the TTL
    gateway.resume();
    const auto kept = a.read_response();
    const auto next = b.read_response();
    const auto successor = refund(
        b, kPayment, {.token = next.header("X-Fence-Token"), .key = "b", .amount_minor = kAmount});

    EXPECT_EQ(told(kept), "201 ok");
    EXPECT_EQ(next.status, 201) << next.body;
    EXPECT_GT(next.json_int("fencing_token"), grant.json_int("fencing_token"));
    EXPECT_EQ(successor.status, 422) << successor.body;  // it finds what A has done
    EXPECT_EQ(refunds_of(b, kPayment).size(), 1U);
}

// One delayed request on a payment of its own. True if it was accepted after B had been granted.
bool is_stale_write_accepted(const GatewayProcess& gateway, const std::string& payment,
                             bool refunds_first) {
    auto a = gateway.client();
    auto b = gateway.client();
    create_payment(b, payment, 2 * kAmount);
    auto options = gateway.client_options();
    options.api_key = gateway.api_key();
    const auto grant = acquire(a, payment, {.ttl_ms = 100});
    const auto request = refund_request(
        options, payment, {.token = grant.header("X-Fence-Token"), .key = payment + "-a"});
    a.send_raw(std::string_view(request).substr(0, request.size() - 1));
    const auto next = acquire(b, payment, {.wait_ms = 10'000});
    const RefundCall call{.token = next.header("X-Fence-Token"), .key = payment + "-b"};
    if (refunds_first) refund(b, payment, call);
    a.send_raw(std::string_view(request).substr(request.size() - 1));
    if (!refunds_first) refund(b, payment, call);  // while A's is on its way
    return a.read_response().status == 201;
}

// 200 times, on ten connections at once. The number of stale writes that got through.
int count_accepted_stale_writes(const GatewayOptions& options) {
    constexpr int kThreads = 10;
    constexpr int kRounds = 20;
    GatewayProcess gateway(options);
    std::atomic<int> accepted = 0;
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&, thread] {
            for (int round = 0; round < kRounds; ++round) {
                const auto payment = "pay_" + std::to_string(thread) + "_" + std::to_string(round);
                if (is_stale_write_accepted(gateway, payment, round % 2 == 0)) ++accepted;
            }
        });
    }
    threads.clear();
    return accepted;
}

TEST(DoubleRefund, NoneOf200StaleWritesIsAccepted) {
    EXPECT_EQ(count_accepted_stale_writes(fenced()), 0);
}

TEST(DoubleRefund, All200StaleWritesAreAcceptedWithoutTheFence) {
    EXPECT_EQ(count_accepted_stale_writes(unfenced()), 200);
}

}  // namespace
}  // namespace fencegate::testing
