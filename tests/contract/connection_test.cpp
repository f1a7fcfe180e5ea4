// One connection and what travels on it: pipelines, pieces, chunks, 100-continue, and the end of a
// connection.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class Connection : public GatewaySuite {
protected:
    std::string post_lock(const std::string& name, const Headers& headers = {},
                          std::string_view body = {}) {
        return request_text(gateway(), "POST", "/v1/locks/" + name, headers, body);
    }
};

TEST_F(Connection, PipelinedRequestsAreAnsweredInOrder) {
    constexpr int kRequests = 50;
    std::string text;
    for (int at = 0; at < kRequests; ++at) {
        const auto name = "pipelined/" + std::to_string(at);
        text += at % 2 == 0 ? post_lock(name, {}, R"({"owner":"a"})")
                            : request_text(gateway(), "GET", "/v1/locks/" + name);
    }

    client.send_raw(text);

    for (int at = 0; at < kRequests; ++at) {
        EXPECT_THAT(client.read_response(),
                    Is(at % 2 == 0 ? 201 : 200, R"({"lock":"pipelined/$"})", at));
    }
    EXPECT_EQ(state_of("pipelined/0"), "held") << "and the connection goes on";
}

TEST_F(Connection, APipelineGoesOnBehindAPoliteRefusal) {
    client.send_raw(request_text(gateway(), "GET", "/v1/payments/none") +
                    post_lock(fresh("lock"), {}, R"({"ttl":1})") +
                    request_text(gateway(), "PUT", "/v1/payments", {}, "{}") +
                    request_text(gateway(), "GET", "/v1/locks/a"));

    EXPECT_THAT(client.read_response(), Refused(404, "payment_not_found"));
    EXPECT_THAT(client.read_response(), Refused(400, "invalid_json"));
    EXPECT_THAT(client.read_response(), Refused(405, "method_not_allowed"));
    EXPECT_THAT(client.read_response(), Is(200));
}

TEST_F(Connection, ARequestMayComeByteByByte) {
    const auto name = fresh("lock");
    const auto text = post_lock(name, {}, R"({"owner":"patient"})");

    for (const char byte : text) client.send_raw({&byte, 1});

    EXPECT_THAT(client.read_response(), Is(201, R"({"owner":"patient"})"));
    EXPECT_EQ(state_of(name), "held");
}

TEST_F(Connection, AChunkedBodyIsTaken) {
    const auto name = fresh("lock");
    const Headers chunked{{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}};
    const auto text = post_lock(name, chunked) +
                      "7;extension=1\r\n{\"owner\r\n7\r\n\":\"me\"}\r\n0\r\n\r\n" +
                      request_text(gateway(), "GET", "/v1/locks/" + name);

    for (const char byte : text) client.send_raw({&byte, 1});

    EXPECT_THAT(client.read_response(), Is(201, R"({"owner":"me"})"));
    EXPECT_THAT(client.read_response(), Is(200, R"({"holder":{"owner":"me"}})"));
}

TEST_F(Connection, AnExpectedContinueIsSaid) {
    const auto name = fresh("lock");
    const std::string body = R"({"owner":"a"})";
    const Headers headers{{"Expect", "100-continue"},
                          {"Content-Type", "application/json"},
                          {"Content-Length", std::to_string(body.size())}};

    client.send_raw(post_lock(name, headers));
    EXPECT_THAT(client.read_response(), Is(100));
    client.send_raw(body);

    EXPECT_THAT(client.read_response(), Is(201));
}

TEST_F(Connection, ARefusedExpectationIsNotToldToContinue) {
    client.send_raw(
        "POST /v1/locks/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        "Content-Length: 10\r\n\r\n");

    EXPECT_THAT(client.read_response(), Refused(401, "unauthenticated"));
    EXPECT_TRUE(client.closed_by_peer()) << "nobody knows whether the body will come";
}

TEST_F(Connection, CloseIsHonoured) {
    EXPECT_THAT(client.request("GET", "/v1/locks/a", {{"Connection", "close"}}),
                Is(200).with("Connection", "close"));
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Connection, NothingBehindACloseIsServed) {
    const auto name = fresh("lock");
    client.send_raw(request_text(gateway(), "GET", "/v1/locks/a", {{"Connection", "close"}}) +
                    post_lock(name, {}, "{}"));

    EXPECT_THAT(client.read_response(), Is(200));
    EXPECT_TRUE(client.closed_by_peer());
    client.connect();
    EXPECT_EQ(state_of(name), "free");
}

TEST_F(Connection, Http10IsServedAndClosed) {
    client.send_raw(
        filled("GET /v1/locks/a HTTP/1.0\r\nAuthorization: Bearer $\r\n\r\n", gateway().api_key()));

    EXPECT_THAT(client.read_response(), Is(200));
    EXPECT_TRUE(client.closed_by_peer());
}

// A reset would destroy the reply on its way; the client must be able to read why.
TEST_F(Connection, ARefusalReachesAClientThatIsStillSending) {
    const std::string megabyte(1'000'000, 'x');
    client.send_raw("POST /v1/locks/a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n" +
                    megabyte);

    EXPECT_THAT(client.read_response(), Refused(401, "unauthenticated"));
    EXPECT_TRUE(client.closed_by_peer());
}

// RFC 9110 section 9.3.2: a HEAD is never answered with content. A body here would be read as the
// beginning of the next answer.
TEST_F(Connection, AHeadRequestIsAnsweredWithoutABody) {
    for (const auto* target : {"/v1/locks/a", "/v1/watch"}) {
        client.send_raw(request_text(gateway(), "HEAD", target));
        EXPECT_THAT(client.read_response(), Is(405)) << target;
        EXPECT_THAT(lock("a"), Is(200, R"({"lock":"a"})"));
    }
}

TEST_F(Connection, EveryAnswerHasADateAndIsNotCached) {
    const auto answer = lock("a");

    EXPECT_THAT(answer, Is(200)
                            .with("Date", "<... GMT...>")
                            .with("Cache-Control", "no-store")
                            .with("Content-Type", "application/json"));
    EXPECT_NE(answer.header("X-Request-Id"), lock("a").header("X-Request-Id"));
}

}  // namespace
}  // namespace fencegate::contract
