// The edge of HTTP: what two servers in a row could read differently is refused, the connection is
// closed, and the bytes behind it are never answered as a second request. The suites of the gate
// tell every head that is refused (FramingGate); here is what one costs on the wire.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

class RefusedFraming : public GatewaySuite {
protected:
    // What follows is a whole request on its own: were the connection to go on, it would be served.
    void expect_closed_and_nothing_done(const std::string& text) {
        const auto inner = fresh("smuggled");
        const auto smuggled = request_text(gateway(), "POST", "/v1/locks/" + inner, {}, "{}");

        client.send_raw(text + smuggled + smuggled);

        EXPECT_THAT(client.read_response(),
                    Refused(400, "bad_request").with("Connection", "close"));
        EXPECT_TRUE(client.closed_by_peer());
        client.connect();
        EXPECT_EQ(state_of("outer"), "free");
        EXPECT_EQ(state_of(inner), "free");
    }
};

TEST_F(RefusedFraming, OfAHeadClosesAndNeverAnswersTheBytesBehind) {
    constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
    const struct {
        const char* name;
        std::string line;
        std::string fields;
    } rows[] = {
        {"BothLengths", "POST /v1/locks/outer HTTP/1.1",
         filled("Host: h\r\nContent-Length: 4\r\n$", kChunked)},
        {"LengthTwice", "POST /v1/locks/outer HTTP/1.1",
         "Host: h\r\nContent-Length: 0\r\nContent-Length: 50\r\n"},
        {"BareLineFeed", "POST /v1/locks/outer HTTP/1.1", "Host: h\r\nX: y\nContent-Length: 0\r\n"},
        {"ChunkedInHttp10", "POST /v1/locks/outer HTTP/1.0", filled("Host: h\r\n$", kChunked)},
        {"GetWithBody", "GET /v1/locks/outer HTTP/1.1", "Host: h\r\nContent-Length: 5\r\n"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        // Well formed, so that nothing but the head is to blame.
        const std::string body = contains(row.fields, kChunked) ? "0\r\n\r\n" : "";
        expect_closed_and_nothing_done(filled("$\r\nAuthorization: Bearer $\r\n$\r\n$", row.line,
                                              gateway().api_key(), row.fields, body));
    }
}

// The gate leaves these to the decoder.
TEST_F(RefusedFraming, OfChunksClosesAndNeverAnswersTheBytesBehind) {
    for (const auto* body :
         {"zz\r\n{}\r\n0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "10000000000000002\r\n{}\r\n0\r\n\r\n",
          "2\r\n{}0\r\n\r\n", "2\n{}\n0\n\n", "2\r\n{}\r\n0\r\nX-Fence-Token: 7\r\n\r\n",
          "2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n",
          "2\r\n{}\r\n0\r\nIdempotency-Key: x\r\n\r\n", "2\r\n{}\r\n0\r\nX-Checksum: 1\r\n\r\n",
          "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n"}) {
        SCOPED_TRACE(body);
        expect_closed_and_nothing_done(
            request_text(gateway(), "POST", "/v1/locks/outer",
                         {{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}}) +
            body);
    }
}

using Trailers = PaymentSuite;

TEST_F(Trailers, NeverCarryATokenOrARelease) {
    for (const bool is_release : {false, true}) {
        Headers headers{{"Content-Type", "application/json"},
                        {"Transfer-Encoding", "chunked"},
                        {"Idempotency-Key", fresh("key")}};
        if (is_release) headers.emplace_back("X-Fence-Token", own.token);
        const auto trailer = is_release ? "X-Fence-Release: 1" : "X-Fence-Token: " + own.token;

        client.send_raw(
            request_text(gateway(), "POST", "/v1/payments/" + id + "/refunds", headers) +
            filled("e\r\n{\"amount\":100}\r\n0\r\n$\r\n\r\n", trailer));

        EXPECT_THAT(client.read_response(), Refused(400, "bad_request"));
        client.connect();
        EXPECT_EQ(refunded(id), 0);
        EXPECT_EQ(state_of(own), "live");
    }
}

TEST_F(Trailers, NeverCarryCredentials) {
    client.send_raw(
        filled("POST /v1/locks/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
               "0\r\nAuthorization: Bearer $\r\n\r\n",
               gateway().api_key()));

    EXPECT_THAT(client.read_response(), Refused(401, "unauthenticated"));
    EXPECT_TRUE(client.closed_by_peer());
}

}  // namespace
}  // namespace fencegate::contract
