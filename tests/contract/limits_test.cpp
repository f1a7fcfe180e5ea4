// Limits: what is too slow, too large or too much is refused with its own status, and the refusal
// reaches the client.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class LimitSuite : public GatewaySuite {
protected:
    // The head of a POST for the lock, up to and without the framing headers and the empty line.
    std::string head(const std::string& name) const {
        return "POST /v1/locks/" + name + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " +
               gateway().api_key() + "\r\nContent-Type: application/json\r\n";
    }
    void expect_refused_and_closed(int status, std::string_view code) {
        const auto refused = client.read_response();
        EXPECT_THAT(refused, Refused(status, code));
        EXPECT_EQ(refused.header("Connection"), "close");
        EXPECT_TRUE(client.closed_by_peer());
    }
};

class Timeouts : public LimitSuite {
protected:
    static void SetUpTestSuite() {
        start("header_timeout = \"500ms\"\nbody_timeout = \"300ms\"\n");
    }
};

TEST_F(Timeouts, AHeadThatStopsHalfWayIsRefused) {
    client.send_raw("GET /v1/locks/a HTTP/1.1\r\nHost:");

    expect_refused_and_closed(408, "request_timeout");
}

// The time runs from the first byte: a byte now and then does not buy more of it.
TEST_F(Timeouts, AHeadThatTricklesIsRefused) {
    const auto own = grant(fresh("lock"));
    const auto text = request_text(gateway(), "GET", "/v1/locks/a");
    auto trickling = gateway().client();
    constexpr std::size_t kPieces = 5;

    for (std::size_t at = 0; at < kPieces; ++at) {
        trickling.send_raw(text.substr(at, 1));
        EXPECT_THAT(acquire(own.lock, R"({"wait_ms":200})"),
                    Refused(423, "lock_held"));  // the pace
    }
    trickling.send_raw(text.substr(kPieces));

    EXPECT_THAT(trickling.read_response(), Refused(408, "request_timeout"));
    EXPECT_TRUE(trickling.closed_by_peer());
}

TEST_F(Timeouts, ABodyThatStopsHalfWayIsRefused) {
    const auto name = fresh("lock");
    client.send_raw(head(name) + "Content-Length: 20\r\n\r\n{\"ttl_ms\":");

    expect_refused_and_closed(408, "request_timeout");
    client.connect();
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

TEST_F(Timeouts, AChunkedBodyThatStopsHalfWayIsRefused) {
    const auto name = fresh("lock");
    client.send_raw(head(name) + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n");

    expect_refused_and_closed(408, "request_timeout");
    client.connect();
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

class IdleTimeout : public LimitSuite {
protected:
    static void SetUpTestSuite() { start("idle_timeout = \"200ms\"\n"); }
};

TEST_F(IdleTimeout, ClosesAConnectionWithoutAWord) { EXPECT_TRUE(client.closed_by_peer()); }

class Limits : public LimitSuite {
protected:
    static void SetUpTestSuite() {
        start("body_bytes_max = 1024\nheader_bytes_max = 2048\nrequests_per_connection_max = 3\n");
    }
};

TEST_F(Limits, AConnectionEndsPolitelyAfterItsLastRequest) {
    EXPECT_EQ(lock("a").header("Connection"), "");
    EXPECT_EQ(lock("a").header("Connection"), "");

    EXPECT_EQ(lock("a").header("Connection"), "close");
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Limits, APostWithoutLengthIsRefused) {
    const auto name = fresh("lock");
    client.send_raw(head(name) + "\r\n");

    EXPECT_THAT(client.read_response(), Refused(411, "length_required"));
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

TEST_F(Limits, ABodyTooLargeIsRefusedBeforeItIsSent) {
    client.send_raw(head(fresh("lock")) + "Content-Length: 1025\r\n\r\n");

    expect_refused_and_closed(413, "body_too_large");
}

TEST_F(Limits, ABodyTooLargeIsRefusedWhileItIsSent) {
    const auto name = fresh("lock");
    const auto body = "{\"owner\":\"" + std::string(200'000, 'x') + "\"}";
    client.send_raw(head(name) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                    body);

    expect_refused_and_closed(413, "body_too_large");
    client.connect();
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

TEST_F(Limits, AChunkedBodyTooLargeIsRefused) {
    client.send_raw(head(fresh("lock")) + "Transfer-Encoding: chunked\r\n\r\n");
    for (int chunk = 0; chunk < 5; ++chunk)
        client.send_raw("100\r\n" + std::string(256, ' ') + "\r\n");

    expect_refused_and_closed(413, "body_too_large");
}

TEST_F(Limits, AChunkedBodyOfExtensionsIsRefused) {
    client.send_raw(head(fresh("lock")) + "Transfer-Encoding: chunked\r\n\r\n");
    const auto chunk = "1;" + std::string(1'000, 'e') + "\r\n \r\n";
    for (int sent = 0; sent < 100; ++sent) client.send_raw(chunk);

    const auto refused = client.read_response();

    EXPECT_TRUE(refused.status == 413 || refused.status == 400) << refused.body;
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Limits, ABodyAtTheLimitIsTaken) {
    const auto name = fresh("lock");
    std::string body = R"({"ttl_ms":5000})";
    body.append(1'024 - body.size(), ' ');

    EXPECT_THAT(acquire(name, body), Is(201));
    EXPECT_EQ(lock(name).json_text("state"), "held");
}

TEST_F(Limits, AHeadTooLargeIsRefused) {
    client.send_raw("GET /v1/locks/a HTTP/1.1\r\nHost: h\r\nX-Padding: " + std::string(4'096, 'x') +
                    "\r\n\r\n");

    expect_refused_and_closed(431, "header_too_large");
}

TEST_F(Limits, TooManyHeadersAreRefused) {
    std::string text = "GET /v1/locks/a HTTP/1.1\r\nHost: h\r\n";
    for (int field = 0; field < 100; ++field) text += "X: y\r\n";
    client.send_raw(text + "\r\n");

    expect_refused_and_closed(431, "header_too_large");
}

class Overload : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("command_queue_max = 1\nbatch_commands_max = 1\n"); }
};

// Eight clients write at once where one may queue: sooner or later one is turned away.
TEST_F(Overload, IsRefusedWithNothingDoneAndMayBeRetried) {
    std::vector<HttpsClient> crowd;
    for (int member = 0; member < 8; ++member) crowd.push_back(gateway().client());
    Response refused;
    std::string id;
    const Deadline deadline(std::chrono::seconds(20));
    while (refused.status != 503 && !deadline.has_passed()) {
        std::vector<std::string> ids;
        for (auto& member : crowd) {
            ids.push_back(fresh("pay"));
            member.send_raw(request_text(
                gateway(), "POST", "/v1/payments", {{"Idempotency-Key", "key-" + ids.back()}},
                R"({"id":")" + ids.back() + R"(","amount":100,"currency":"EUR"})"));
        }
        for (std::size_t member = 0; member < crowd.size(); ++member) {
            const auto answer = crowd[member].read_response();
            if (answer.status != 503) continue;
            refused = answer;
            id = ids[member];
        }
    }

    EXPECT_THAT(refused, Refused(503, "overloaded"));
    EXPECT_FALSE(refused.header("Retry-After").empty());
    EXPECT_THAT(payment(id), Refused(404, "payment_not_found"));
    const auto retried = client.request("POST", "/v1/payments", {{"Idempotency-Key", "key-" + id}},
                                        R"({"id":")" + id + R"(","amount":100,"currency":"EUR"})");
    EXPECT_THAT(retried, Is(201));
    EXPECT_EQ(retried.header_count("Idempotency-Replayed"), 0U);
}

}  // namespace
}  // namespace fencegate::contract
