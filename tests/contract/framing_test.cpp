// The edge of HTTP: what two servers in a row could read differently is refused, the connection is
// closed, and the bytes behind it are never answered as a second request.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

struct FramingRow {
    const char* name;
    std::string head;  // after the request line and Authorization, "" ends with the empty line
    std::string version = "HTTP/1.1";
    std::string method = "POST";
    const char* code = "bad_request";
};

std::ostream& operator<<(std::ostream& out, const FramingRow& row) { return out << row.name; }

class RefusedFraming : public GatewaySuite, public ::testing::WithParamInterface<FramingRow> {
protected:
    std::string smuggled(const std::string& name) {
        return request_text(gateway(), "POST", "/v1/locks/" + name, {}, "{}");
    }
};

// What follows is a whole request on its own: were the connection to go on, it would be served.
TEST_P(RefusedFraming, ClosesAndNeverAnswersTheBytesBehind) {
    const auto& row = GetParam();
    const auto outer = fresh("outer");
    const auto inner = fresh("smuggled");
    // Well formed, so that nothing but the head is to blame.
    const std::string body = contains(row.head, "chunked") ? "0\r\n\r\n" : "";

    client.send_raw(row.method + " /v1/locks/" + outer + " " + row.version +
                    "\r\nAuthorization: Bearer " + gateway().api_key() + "\r\n" + row.head +
                    "\r\n" + body + smuggled(inner) + smuggled(inner));
    const auto refused = client.read_response();

    expect_problem(refused, 400, row.code);
    EXPECT_EQ(refused.header("Connection"), "close");
    EXPECT_TRUE(client.closed_by_peer());
    client.connect();
    EXPECT_EQ(lock(outer).json_text("state"), "free");
    EXPECT_EQ(lock(inner).json_text("state"), "free");
}

const std::string kHost = "Host: localhost\r\n";

INSTANTIATE_TEST_SUITE_P(
    Contract, RefusedFraming,
    ::testing::Values(
        FramingRow{"BothLengths", kHost + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"},
        FramingRow{"BothLengthsReversed",
                   kHost + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"},
        FramingRow{"LengthList", kHost + "Content-Length: 5, 5\r\n"},
        FramingRow{"LengthTwiceEqual", kHost + "Content-Length: 5\r\nContent-Length: 5\r\n"},
        FramingRow{"LengthTwice", kHost + "Content-Length: 0\r\nContent-Length: 50\r\n"},
        FramingRow{"LengthPlus", kHost + "Content-Length: +5\r\n"},
        FramingRow{"LengthNegative", kHost + "Content-Length: -1\r\n"},
        FramingRow{"LengthHexadecimal", kHost + "Content-Length: 0x5\r\n"},
        FramingRow{"LengthBeyond64Bits", kHost + "Content-Length: 18446744073709551617\r\n"},
        FramingRow{"LengthEmpty", kHost + "Content-Length:\r\n"},
        FramingRow{"Gzip", kHost + "Transfer-Encoding: gzip\r\n"},
        FramingRow{"GzipChunked", kHost + "Transfer-Encoding: gzip, chunked\r\n"},
        FramingRow{"ChunkedTwice",
                   kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"},
        FramingRow{"ChunkedIdentity",
                   kHost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"},
        FramingRow{"VerticalTab", kHost + "Transfer-Encoding: \vchunked\r\n"},
        FramingRow{"BlankBeforeColon", kHost + "Content-Length : 5\r\n"},
        FramingRow{"Folded", kHost + "X-Fold: a\r\n b\r\nContent-Length: 0\r\n"},
        FramingRow{"FoldedEncoding", kHost + "Transfer-Encoding:\r\n chunked\r\n"},
        FramingRow{"BareLineFeed", kHost + "X: y\nContent-Length: 0\r\n"},
        FramingRow{"BareReturn", kHost + "X: y\rContent-Length: 0\r\n"},
        FramingRow{"NulByte", kHost + "X: y" + std::string(1, '\0') + "\r\n"},
        FramingRow{"UnderscoreName", kHost + "Content_Length: 5\r\nContent-Length: 0\r\n"},
        FramingRow{"NoHost", "Content-Length: 0\r\n"},
        FramingRow{"TwoHosts", kHost + kHost + "Content-Length: 0\r\n"},
        FramingRow{"HostWithPath", "Host: localhost/x\r\nContent-Length: 0\r\n"},
        FramingRow{"UnknownExpectation", kHost + "Expect: tea\r\nContent-Length: 0\r\n"},
        FramingRow{"TrailerAnnounced",
                   kHost + "Trailer: X-Fence-Token\r\nTransfer-Encoding: chunked\r\n"},
        FramingRow{"ChunkedInHttp10", kHost + "Transfer-Encoding: chunked\r\n", "HTTP/1.0"},
        FramingRow{"Http2Preface", kHost + "Content-Length: 0\r\n", "HTTP/2.0"},
        FramingRow{"Http09", kHost + "Content-Length: 0\r\n", ""},
        FramingRow{"GetWithBody", kHost + "Content-Length: 5\r\n", "HTTP/1.1", "GET"},
        FramingRow{"GetWithChunks", kHost + "Transfer-Encoding: chunked\r\n", "HTTP/1.1", "GET"},
        FramingRow{"SmallMethod", kHost + "Content-Length: 0\r\n", "HTTP/1.1", "post"}),
    [](const auto& row) { return std::string(row.param.name); });

struct ChunkRow {
    const char* name;
    std::string body;
};

std::ostream& operator<<(std::ostream& out, const ChunkRow& row) { return out << row.name; }

class RefusedChunks : public GatewaySuite, public ::testing::WithParamInterface<ChunkRow> {};

TEST_P(RefusedChunks, CloseAndChangeNothing) {
    const auto outer = fresh("outer");
    const auto inner = fresh("smuggled");
    const Headers chunked{{"Content-Type", "application/json"}, {"Transfer-Encoding", "chunked"}};

    client.send_raw(request_text(gateway(), "POST", "/v1/locks/" + outer, chunked) +
                    GetParam().body +
                    request_text(gateway(), "POST", "/v1/locks/" + inner, {}, "{}"));
    const auto refused = client.read_response();

    expect_problem(refused, 400, "bad_request");
    EXPECT_EQ(refused.header("Connection"), "close");
    EXPECT_TRUE(client.closed_by_peer());
    client.connect();
    EXPECT_EQ(lock(outer).json_text("state"), "free");
    EXPECT_EQ(lock(inner).json_text("state"), "free");
}

INSTANTIATE_TEST_SUITE_P(
    Contract, RefusedChunks,
    ::testing::Values(ChunkRow{"SizeNotHexadecimal", "zz\r\n{}\r\n0\r\n\r\n"},
                      ChunkRow{"SizeNegative", "-2\r\n{}\r\n0\r\n\r\n"},
                      ChunkRow{"SizeBeyond64Bits", "10000000000000002\r\n{}\r\n0\r\n\r\n"},
                      ChunkRow{"NoLineAfterChunk", "2\r\n{}0\r\n\r\n"},
                      ChunkRow{"BareLineFeeds", "2\n{}\n0\n\n"},
                      ChunkRow{"TokenInTrailer", "2\r\n{}\r\n0\r\nX-Fence-Token: 7\r\n\r\n"},
                      ChunkRow{"CredentialsInTrailer",
                               "2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n"},
                      ChunkRow{"KeyInTrailer", "2\r\n{}\r\n0\r\nIdempotency-Key: x\r\n\r\n"},
                      ChunkRow{"AnyTrailer", "2\r\n{}\r\n0\r\nX-Checksum: 1\r\n\r\n"},
                      ChunkRow{"LengthInTrailer", "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n"}),
    [](const auto& row) { return std::string(row.param.name); });

class Trailers : public GatewaySuite {};

TEST_F(Trailers, NeverCarryATokenThatCounts) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const Headers headers{{"Content-Type", "application/json"},
                          {"Transfer-Encoding", "chunked"},
                          {"Idempotency-Key", fresh("key")}};

    client.send_raw(request_text(gateway(), "POST", "/v1/payments/" + id + "/refunds", headers) +
                    "e\r\n{\"amount\":100}\r\n0\r\nX-Fence-Token: " + own.token + "\r\n\r\n");

    expect_problem(client.read_response(), 400, "bad_request");
    client.connect();
    EXPECT_EQ(payment(id).json_int("amount_refunded"), 0);
}

TEST_F(Trailers, NeverCarryCredentials) {
    client.send_raw(
        "POST /v1/locks/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\nAuthorization: Bearer " +
        gateway().api_key() + "\r\n\r\n");

    expect_problem(client.read_response(), 401, "unauthenticated");
    EXPECT_TRUE(client.closed_by_peer());
}

}  // namespace
}  // namespace fencegate::contract
