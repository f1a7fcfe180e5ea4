// The double refund: a holder is paused past its lease, another takes over and refunds, the first
// wakes up and refunds again. Every story is told twice, to the gateway and to one whose fence is
// off: what the second does shows that the first would be caught.
#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

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

    friend bool operator==(const Ending&, const Ending&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Ending& ending) {
        return out << "successor: " << ending.successor << ", late: " << ending.late << ", "
                   << ending.refunds << " refunds of " << ending.refunded
                   << ", stale checks: " << ending.stale_checks;
    }
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
    EXPECT_EQ(ending, (Ending{"201 ok", "412 fence_token_stale", 1, kAmount, "1"}));
}

void expect_double_refund(const Ending& ending) {
    EXPECT_EQ(ending, (Ending{"201 ok", "201 ok", 2, 2 * kAmount, "0"}));
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
    const auto grant = acquire(a, kPayment, {.ttl_ms = 300});
    const auto request = refund_request(
        gateway, kPayment,
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

// The gateway itself stands still past the TTL. A's refund waits in its socket meanwhile. What the
// gateway took is given back: A still holds the lock when time goes on, and B is granted after it.
TEST(DoubleRefund, APausedGatewayGivesItsHolderTheTimeBack) {
    GatewayProcess gateway(fenced());
    auto a_options = gateway.keyed_options();
    a_options.deadline = std::chrono::milliseconds(1'500);
    HttpsClient a(a_options);
    auto looker = gateway.client();
    create_payment(looker, kPayment, kAmount);
    const auto grant = acquire(a, kPayment, {.ttl_ms = 1'000});
    auto b = begin(gateway, "POST", "/v1/locks/payments/pay_42", R"({"wait_ms":20000})");
    await_waiters(looker, "payments/pay_42", 1);

    gateway.pause();
    a.send_raw(refund_request(
        gateway, kPayment,
        {.token = grant.header("X-Fence-Token"), .key = "a", .amount_minor = kAmount}));
    EXPECT_FALSE(a.closed_by_peer());  // nothing at all is said for longer than the TTL
    gateway.resume();
    const auto kept = a.read_response();
    const auto next = b.read_response();
    const auto successor = refund(
        b, kPayment, {.token = next.header("X-Fence-Token"), .key = "b", .amount_minor = kAmount});

    EXPECT_EQ(told(kept), "201 ok");
    EXPECT_THAT(next, Is(201, R"({"fencing_token":"<$..>"})", grant.json_int("fencing_token") + 1));
    EXPECT_THAT(successor, Is(422)) << "it finds what A has done";
    EXPECT_EQ(refunds_of(b, kPayment).size(), 1U);
}

// One delayed request on a payment of its own. True if it was accepted after B had been granted.
bool is_stale_write_accepted(const GatewayProcess& gateway, const std::string& payment,
                             bool refunds_first) {
    auto a = gateway.client();
    auto b = gateway.client();
    create_payment(b, payment, 2 * kAmount);
    const auto grant = acquire(a, payment, {.ttl_ms = 100});
    const auto request = refund_request(
        gateway, payment, {.token = grant.header("X-Fence-Token"), .key = payment + "-a"});
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
