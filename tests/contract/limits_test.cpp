// Limits: what is too slow, too large or too much is refused with its own status, and the refusal
// reaches the client.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class LimitSuite : public GatewaySuite {
protected:
    // A POST for the suite's lock: with these framing headers, and this of its body.
    void post_raw(std::string_view framing, std::string_view body = {}) {
        client.send_raw(
            filled("POST /v1/locks/$ HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer $\r\n"
                   "Content-Type: application/json\r\n$\r\n$",
                   name, gateway().api_key(), framing, body));
    }
    void expect_refused_and_closed(int status, std::string_view code) {
        EXPECT_THAT(client.read_response(), Refused(status, code).with("Connection", "close"));
        EXPECT_TRUE(client.closed_by_peer());
        client.connect();
        EXPECT_EQ(state_of(name), "free");
    }

    const std::string name = fresh("lock");
};

class Timeouts : public LimitSuite {
protected:
    static void SetUpTestSuite() {
        start("header_timeout = \"500ms\"\nbody_timeout = \"300ms\"\n");
    }
};

TEST_F(Timeouts, WhatStopsHalfWayIsRefused) {
    client.send_raw("GET /v1/locks/a HTTP/1.1\r\nHost:");
    expect_refused_and_closed(408, "request_timeout");

    post_raw("Content-Length: 20\r\n", "{\"ttl_ms\":");
    expect_refused_and_closed(408, "request_timeout");

    post_raw("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n");
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
        EXPECT_THAT(acquire(own.lock, R"({"wait_ms":200})"), Is(423));  // the pace
    }
    trickling.send_raw(text.substr(kPieces));

    EXPECT_THAT(trickling.read_response(), Refused(408, "request_timeout"));
    EXPECT_TRUE(trickling.closed_by_peer());
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
    for (const auto* connection : {"<absent>", "<absent>", "close"})
        EXPECT_THAT(lock("a"), Is(200).with("Connection", connection));
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Limits, APostWithoutLengthIsRefused) {
    post_raw("");

    EXPECT_THAT(client.read_response(), Refused(411, "length_required"));
    EXPECT_EQ(state_of(name), "free");
}

TEST_F(Limits, ABodyTooLargeIsRefusedBeforeAndWhileItIsSent) {
    post_raw("Content-Length: 1025\r\n");
    expect_refused_and_closed(413, "body_too_large");

    const auto body = filled(R"({"owner":"$"})", std::string(200'000, 'x'));
    post_raw(filled("Content-Length: $\r\n", body.size()), body);
    expect_refused_and_closed(413, "body_too_large");

    post_raw("Transfer-Encoding: chunked\r\n");
    for (int chunk = 0; chunk < 5; ++chunk)
        client.send_raw("100\r\n" + std::string(256, ' ') + "\r\n");
    expect_refused_and_closed(413, "body_too_large");
}

TEST_F(Limits, AChunkedBodyOfExtensionsIsRefused) {
    post_raw("Transfer-Encoding: chunked\r\n");
    const auto chunk = "1;" + std::string(1'000, 'e') + "\r\n \r\n";
    for (int sent = 0; sent < 100; ++sent) client.send_raw(chunk);

    EXPECT_THAT(client.read_response(), ::testing::AnyOf(Is(413), Is(400)));
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Limits, ABodyAtTheLimitIsTaken) {
    std::string body = R"({"ttl_ms":5000})";
    body.append(1'024 - body.size(), ' ');

    EXPECT_THAT(acquire(name, body), Is(201));
}

TEST_F(Limits, AHeadTooLargeOrOfTooManyFieldsIsRefused) {
    std::string fields;
    for (int field = 0; field < 100; ++field) fields += "X: y\r\n";
    for (const auto& more : {filled("X-Padding: $\r\n", std::string(4'096, 'x')), fields}) {
        client.send_raw(filled("GET /v1/locks/a HTTP/1.1\r\nHost: h\r\n$\r\n", more));
        expect_refused_and_closed(431, "header_too_large");
    }
}

class Overload : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("command_queue_max = 1\nbatch_commands_max = 1\n"); }
};

// Eight clients write at once where one may queue: sooner or later one is turned away.
TEST_F(Overload, IsRefusedWithNothingDoneAndMayBeRetried) {
    std::vector<HttpsClient> crowd;
    for (int member = 0; member < 8; ++member) crowd.push_back(gateway().client());
    const auto key_of = [](const std::string& id) {
        return Headers{{"Idempotency-Key", "key-" + id}};
    };
    const auto body_of = [](const std::string& id) {
        return filled(R"({"id":"$","amount":100,"currency":"EUR"})", id);
    };
    Response refused;
    std::string id;
    const Deadline deadline(std::chrono::seconds(20));
    while (refused.status != 503 && !deadline.has_passed()) {
        std::vector<std::string> ids;
        for (auto& member : crowd) {
            ids.push_back(fresh("pay"));
            member.send_raw(request_text(gateway(), "POST", "/v1/payments", key_of(ids.back()),
                                         body_of(ids.back())));
        }
        for (std::size_t member = 0; member < crowd.size(); ++member) {
            const auto answer = crowd[member].read_response();
            if (answer.status != 503) continue;
            refused = answer;
            id = ids[member];
        }
    }

    EXPECT_THAT(refused, Refused(503, "overloaded").with("Retry-After", "<any>"));
    EXPECT_THAT(payment(id), Refused(404, "payment_not_found"));
    EXPECT_THAT(post("/v1/payments", body_of(id), key_of(id)),
                Is(201).with("Idempotency-Replayed", "<absent>"));
}

}  // namespace
}  // namespace fencegate::contract
