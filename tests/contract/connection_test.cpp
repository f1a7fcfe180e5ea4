// One connection and what travels on it: pipelines, pieces, chunks, 100-continue, the end of a
// connection, and the versions of TLS it may be wrapped in.
#include "tests/contract/gateway_suite.hpp"

#include <openssl/ssl.h>

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
        const auto answer = client.read_response();
        EXPECT_EQ(answer.status, at % 2 == 0 ? 201 : 200);
        EXPECT_EQ(answer.json_text("lock"), "pipelined/" + std::to_string(at));
    }
    EXPECT_EQ(lock("pipelined/0").json_text("state"), "held") << "and the connection goes on";
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

    EXPECT_EQ(client.read_response().json_text("owner"), "patient");
    EXPECT_EQ(lock(name).json_text("state"), "held");
}

TEST_F(Connection, AChunkedBodyIsTaken) {
    const auto name = fresh("lock");
    const Headers chunked{{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}};
    const auto text = post_lock(name, chunked) +
                      "7;extension=1\r\n{\"owner\r\n7\r\n\":\"me\"}\r\n0\r\n\r\n" +
                      request_text(gateway(), "GET", "/v1/locks/" + name);

    for (const char byte : text) client.send_raw({&byte, 1});

    const auto granted = client.read_response();
    EXPECT_THAT(granted, Is(201));
    EXPECT_EQ(granted.json_text("owner"), "me");
    EXPECT_EQ(client.read_response().json_text("/holder/owner"), "me");
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

    const auto refused = client.read_response();

    EXPECT_THAT(refused, Refused(401, "unauthenticated"));
    EXPECT_TRUE(client.closed_by_peer()) << "nobody knows whether the body will come";
}

TEST_F(Connection, CloseIsHonoured) {
    const auto answer = client.request("GET", "/v1/locks/a", {{"Connection", "close"}});

    EXPECT_THAT(answer, Is(200));
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Connection, NothingBehindACloseIsServed) {
    const auto name = fresh("lock");
    client.send_raw(request_text(gateway(), "GET", "/v1/locks/a", {{"Connection", "close"}}) +
                    post_lock(name, {}, "{}"));

    EXPECT_THAT(client.read_response(), Is(200));
    EXPECT_TRUE(client.closed_by_peer());
    client.connect();
    EXPECT_EQ(lock(name).json_text("state"), "free");
}

TEST_F(Connection, Http10IsServedAndClosed) {
    client.send_raw("GET /v1/locks/a HTTP/1.0\r\nAuthorization: Bearer " + gateway().api_key() +
                    "\r\n\r\n");

    const auto answer = client.read_response();

    EXPECT_THAT(answer, Is(200));
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
    client.send_raw(request_text(gateway(), "HEAD", "/v1/locks/a"));
    EXPECT_THAT(client.read_response(), Is(405));

    client.send_raw(request_text(gateway(), "GET", "/v1/locks/a"));

    const auto next = client.read_response();
    EXPECT_THAT(next, Is(200));
    EXPECT_EQ(next.json_text("lock"), "a");
}

TEST_F(Connection, EveryAnswerHasADateAndIsNotCached) {
    const auto answer = lock("a");

    EXPECT_TRUE(answer.header("Date").ends_with(" GMT"));
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    EXPECT_EQ(answer.header("Content-Type"), "application/json");
    EXPECT_NE(answer.header("X-Request-Id"), lock("a").header("X-Request-Id"));
}

struct TlsRow {
    const char* name;
    int version;
    bool is_served;
};

std::ostream& operator<<(std::ostream& out, const TlsRow& row) { return out << row.name; }

class TlsVersion : public GatewaySuite, public ::testing::WithParamInterface<TlsRow> {};

TEST_P(TlsVersion, IsServedOnlyWhenItIsSafe) {
    auto options = gateway().client_options();
    options.api_key = gateway().api_key();
    options.tls_version_min = GetParam().version;
    options.tls_version_max = GetParam().version;
    HttpsClient other(std::move(options));

    if (!GetParam().is_served) {
        EXPECT_THROW(other.connect(), std::runtime_error);
        return;
    }
    EXPECT_THAT(other.request("GET", "/v1/locks/a"), Is(200));
    EXPECT_EQ(other.tls_version(), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Contract, TlsVersion,
                         ::testing::Values(TlsRow{"TLSv1.3", TLS1_3_VERSION, true},
                                           TlsRow{"TLSv1.2", TLS1_2_VERSION, true},
                                           TlsRow{"TLSv1.1", TLS1_1_VERSION, false},
                                           TlsRow{"TLSv1", TLS1_VERSION, false}),
                         [](const auto& row) {
                             std::string name(row.param.name);
                             std::erase(name, '.');
                             return name;
                         });

}  // namespace
}  // namespace fencegate::contract
