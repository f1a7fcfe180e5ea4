// SIGTERM: what is at hand is finished, who waits is told, and the program ends with 0.
#include "tests/contract/gateway_suite.hpp"

#include <csignal>

namespace fencegate::contract {
namespace {

class Draining : public GatewaySuite {
protected:
    // Until the gateway has begun to drain, as a load balancer would see it.
    static void drain(HttpsClient& admin) {
        gateway().signal(SIGTERM);
        EXPECT_TRUE(eventually("not ready", [&] {
            const auto ready = admin.request("GET", "/readyz");
            return ready.status == 503 && ready.json_text("status") == "draining";
        }));
    }
    static bool is_refused_connection() {
        try {
            static_cast<void>(gateway().client());
            return false;
        } catch (const std::runtime_error&) {
            return true;
        }
    }
};

TEST_F(Draining, TellsWaitersAndEndsWithZero) {
    const auto own = grant(fresh("lock"));
    auto waiting = gateway().client();
    waiting.send_raw(
        request_text(gateway(), "POST", "/v1/locks/" + own.lock, {}, R"({"wait_ms":60000})"));
    await_waiters(own.lock, 1);

    gateway().signal(SIGTERM);

    const auto refused = waiting.read_response();
    EXPECT_THAT(refused, Refused(503, "draining"));
    EXPECT_FALSE(refused.header("Retry-After").empty());
    EXPECT_TRUE(waiting.closed_by_peer());
    EXPECT_TRUE(client.closed_by_peer()) << "an idle connection is not kept";
    waiting.close();
    client.close();
    EXPECT_EQ(gateway().wait_for_exit(), 0);
    gateway().start();
    client = gateway().client();
    EXPECT_EQ(lock(own.lock).json_text("/holder/lease_id"), own.lease_id)
        << "a waiter that was refused was not granted on the way out";
}

TEST_F(Draining, FinishesTheRequestAtHandAndSaysItIsNotReady) {
    const auto name = fresh("lock");
    const auto text = request_text(gateway(), "POST", "/v1/locks/" + name, {}, R"({"owner":"a"})");
    client.send_raw(text.substr(0, text.size() - 5));
    auto admin = gateway().admin_client();
    ASSERT_THAT(admin.request("GET", "/readyz"), Is(200));

    drain(admin);

    EXPECT_THAT(admin.request("GET", "/healthz"), Is(200)) << "it is alive, and must not be killed";
    EXPECT_TRUE(contains(admin.request("GET", "/metrics").body, "\nfencegate_draining 1\n"));
    EXPECT_TRUE(eventually("nobody new is let in", is_refused_connection));
    client.send_raw(text.substr(text.size() - 5));

    const auto granted = client.read_response();
    EXPECT_THAT(granted, Is(201));
    EXPECT_EQ(granted.header("Connection"), "close");
    client.close();
    EXPECT_EQ(gateway().wait_for_exit(), 0);
    gateway().start();
}

TEST_F(Draining, LetsNobodyWaitAnyMore) {
    const auto own = grant(fresh("lock"));
    const auto text =
        request_text(gateway(), "POST", "/v1/locks/" + own.lock, {}, R"({"wait_ms":60000})");
    client.send_raw(text.substr(0, text.size() - 5));
    auto admin = gateway().admin_client();

    drain(admin);
    client.send_raw(text.substr(text.size() - 5));

    EXPECT_THAT(client.read_response(), Refused(503, "draining"));
    client.close();
    EXPECT_EQ(gateway().wait_for_exit(), 0);
    gateway().start();
}

// Of everything that is refused before it streams: the reply says that the connection ends with it,
// and it does, so that no client sends its next request into the void.
class DrainingStreams : public Draining {
protected:
    static void SetUpTestSuite() { start("statements_max = 0\n"); }

    void expect_refusal_that_ends_the_connection(std::string_view target, int status) {
        SCOPED_TRACE(target);
        const auto text = request_text(gateway(), "GET", target);
        client.send_raw(text.substr(0, text.size() - 5));
        auto admin = gateway().admin_client();

        drain(admin);
        client.send_raw(text.substr(text.size() - 5));

        const auto refused = client.read_response();
        EXPECT_THAT(refused, Is(status));
        EXPECT_EQ(refused.header("Connection"), "close");
        EXPECT_TRUE(client.closed_by_peer());
        client.close();
        EXPECT_EQ(gateway().wait_for_exit(), 0);
        gateway().start();
        client = gateway().client();
    }
};

TEST_F(DrainingStreams, AStatementWithoutRoomEndsItsConnection) {
    expect_refusal_that_ends_the_connection("/v1/ledger/statement?account=funds_held&currency=EUR",
                                            503);
}

TEST_F(DrainingStreams, AWatchEndsItsConnection) {
    expect_refusal_that_ends_the_connection("/v1/watch?prefix=a", 503);
}

}  // namespace
}  // namespace fencegate::contract
