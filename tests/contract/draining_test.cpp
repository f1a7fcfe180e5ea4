// SIGTERM: what is at hand is finished, who waits is told, and the program ends with 0.
#include "tests/contract/watcher.hpp"

#include <csignal>

namespace fencegate::contract {
namespace {

class Draining : public GatewaySuite {
protected:
    // Until the gateway has begun to drain, as a load balancer would see it.
    void drain() {
        gateway().signal(SIGTERM);
        await("not ready", [&] {
            const auto ready = admin.request("GET", "/readyz");
            return ready.status == 503 && ready.json_text("status") == "draining";
        });
    }
    // The answer to a request that was sent by half when the gateway began to drain.
    Response answer_over_a_drain(const std::string& text) {
        client.send_raw(text.substr(0, text.size() - 5));
        drain();
        client.send_raw(text.substr(text.size() - 5));
        return client.read_response();
    }
    void expect_end() {
        client.close();
        EXPECT_EQ(gateway().wait_for_exit(), 0);
        gateway().start();
        client = gateway().client();
    }
    static bool is_refused_connection() {
        try {
            static_cast<void>(gateway().client());
            return false;
        } catch (const std::runtime_error&) {
            return true;
        }
    }

    HttpsClient admin = gateway().admin_client();
};

TEST_F(Draining, TellsWaitersAndEndsWithZero) {
    const auto own = grant(fresh("lock"));
    auto waiting = stand_in_line(own.lock, 1);

    gateway().signal(SIGTERM);

    EXPECT_THAT(waiting.read_response(),
                Refused(503, "draining").with("Retry-After", "<any>").with("Connection", "close"));
    EXPECT_TRUE(waiting.closed_by_peer());
    EXPECT_TRUE(client.closed_by_peer()) << "an idle connection is not kept";
    waiting.close();
    expect_end();
    EXPECT_EQ(state_of(own), "live") << "a waiter that was refused was not granted on the way out";
}

TEST_F(Draining, FinishesTheRequestAtHandAndSaysItIsNotReady) {
    const auto text =
        request_text(gateway(), "POST", "/v1/locks/" + fresh("lock"), {}, R"({"owner":"a"})");
    client.send_raw(text.substr(0, text.size() - 5));
    ASSERT_THAT(admin.request("GET", "/readyz"), Is(200));

    drain();

    EXPECT_THAT(admin.request("GET", "/healthz"), Is(200)) << "it is alive, and must not be killed";
    EXPECT_EQ(metric(gateway(), "fencegate_draining"), "1");
    await("nobody new is let in", is_refused_connection);
    client.send_raw(text.substr(text.size() - 5));
    EXPECT_THAT(client.read_response(), Is(201).with("Connection", "close"));
    expect_end();
}

TEST_F(Draining, LetsNobodyWaitAnyMore) {
    const auto own = grant(fresh("lock"));

    EXPECT_THAT(answer_over_a_drain(request_text(gateway(), "POST", "/v1/locks/" + own.lock, {},
                                                 R"({"wait_ms":60000})")),
                Refused(503, "draining"));
    expect_end();
}

// Of everything that is refused before it streams: the reply says that the connection ends with it,
// and it does, so that no client sends its next request into the void.
class DrainingStreams : public Draining {
protected:
    static void SetUpTestSuite() { start("statements_max = 0\n"); }

    void expect_refusal_that_ends_the_connection(std::string_view target) {
        EXPECT_THAT(answer_over_a_drain(request_text(gateway(), "GET", target)),
                    Is(503).with("Connection", "close"));
        EXPECT_TRUE(client.closed_by_peer());
        expect_end();
    }
};

TEST_F(DrainingStreams, AStatementWithoutRoomEndsItsConnection) {
    expect_refusal_that_ends_the_connection("/v1/ledger/statement?account=funds_held&currency=EUR");
}

TEST_F(DrainingStreams, AWatchEndsItsConnection) {
    expect_refusal_that_ends_the_connection("/v1/watch?prefix=a");
}

}  // namespace
}  // namespace fencegate::contract
