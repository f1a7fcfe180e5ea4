// What the framing gate must let pass, and how it frames it. See framing_gate_hostile_test.cpp.
#include "proxy/http/framing_gate.hpp"

#include "tests/proxy/http/request_heads.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {
namespace {

struct Friendly {
    const char* name;
    std::string head;
    Framing framing;
};

std::ostream& operator<<(std::ostream& out, const Friendly& row) { return out << row.name; }

constexpr Framing kNoBody{.is_http_1_1 = true, .keep_alive = true};
constexpr Framing kClosing{.is_http_1_1 = true};
constexpr Framing kChunked{.is_http_1_1 = true, .keep_alive = true, .chunked = true};

constexpr Framing sized(std::uint64_t length, bool expects_continue = false) {
    return {.is_http_1_1 = true,
            .keep_alive = true,
            .content_length = length,
            .expects_continue = expects_continue};
}

const std::vector<Friendly> kFriendly = {
    // What ordinary clients send.
    {"CurlGet",
     "GET /v1/locks/a HTTP/1.1\r\nHost: localhost:8443\r\nUser-Agent: curl/7.88.1\r\n"
     "Accept: */*\r\n\r\n",
     kNoBody},
    {"CurlPost",
     "POST /v1/payments HTTP/1.1\r\nHost: 127.0.0.1:8443\r\nUser-Agent: curl/7.88.1\r\n"
     "Accept: */*\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n",
     sized(33)},
    {"CurlLargePost",
     "POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n"
     "Expect: 100-continue\r\n\r\n",
     sized(2000000, true)},
    {"CurlUpload",
     with("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", "PUT"),
     {.is_http_1_1 = true, .keep_alive = true, .chunked = true, .expects_continue = true}},
    {"CurlHttp10", "GET / HTTP/1.0\r\nHost: a\r\nUser-Agent: curl/7.88.1\r\n\r\n", Framing{}},
    {"CurlUpgradeToHttp2",
     with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAAB\r\n"),
     kNoBody},
    {"Wrk", "GET / HTTP/1.1\r\nHost: localhost:8443\r\n\r\n", kNoBody},
    {"WrkPost", "POST / HTTP/1.1\r\nContent-Length: 2\r\nHost: localhost\r\n\r\n", sized(2)},
    {"Ab", "GET / HTTP/1.0\r\nHost: a\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n",
     Framing{}},
    {"AbKeepAlive",
     "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: a\r\nAccept: */*\r\n\r\n",
     {.keep_alive = true}},
    {"PythonRequests",
     "POST /v1/locks/a HTTP/1.1\r\nHost: a:8443\r\nUser-Agent: python-requests/2.28.1\r\n"
     "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
     "Content-Length: 15\r\nContent-Type: application/json\r\n\r\n",
     sized(15)},
    {"PythonUrllib",
     "GET / HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: a\r\n"
     "User-Agent: Python-urllib/3.11\r\nConnection: close\r\n\r\n",
     kClosing},
    {"PythonHttpClientDelete", with("Accept-Encoding: identity\r\nContent-Length: 0\r\n", "DELETE"),
     sized(0)},
    {"PythonHttpxGenerator", with("Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n"),
     kChunked},
    {"GoGet",
     "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: Go-http-client/1.1\r\n"
     "Accept-Encoding: gzip\r\n\r\n",
     kNoBody},
    {"GoPost",
     "POST / HTTP/1.1\r\nHost: a\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 7\r\n"
     "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n",
     sized(7)},
    {"GoStream",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nAccept-Encoding: gzip\r\n\r\n",
     kChunked},
    {"NodeFetch",
     "POST / HTTP/1.1\r\nhost: localhost:8443\r\nconnection: keep-alive\r\n"
     "content-type: application/json\r\naccept: */*\r\naccept-language: *\r\n"
     "sec-fetch-mode: cors\r\nuser-agent: node\r\naccept-encoding: gzip, deflate\r\n"
     "content-length: 2\r\n\r\n",
     sized(2)},
    {"NodeHttp", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", kNoBody},
    {"PrometheusScrape",
     "GET /metrics HTTP/1.1\r\nHost: a:9443\r\nUser-Agent: Prometheus/2.42.0\r\n"
     "Accept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n"
     "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n",
     kNoBody},
    {"BrowserCookies",
     with("Cookie: a=b; c=\"d\"\r\nReferer: https://a/?b=c\r\nDNT: 1\r\nTE: trailers\r\n"),
     kNoBody},
    // The edges of what is allowed.
    {"NoBlankAfterColon", with("Content-Length:5\r\n"), sized(5)},
    {"BlanksAroundValue", with("Content-Length: \t 5 \t\r\n"), sized(5)},
    {"ChunkedAnyCase", with("TRANSFER-encoding: CHUNKED\r\n"), kChunked},
    {"ChunkedBlanks", with("Transfer-Encoding: \tchunked \r\n"), kChunked},
    {"LargestLength", with("Content-Length: 9999999999999999999\r\n"),
     sized(9999999999999999999ULL)},
    {"ZeroLength", with("Content-Length: 0\r\n"), sized(0)},
    {"GetZeroLength", with("Content-Length: 0\r\n", "GET"), sized(0)},
    {"ExpectAnyCase", with("Content-Length: 1\r\nexpect: 100-Continue\r\n"), sized(1, true)},
    {"ExpectOnHttp10IsIgnored",
     "POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n",
     {.content_length = 1}},
    {"Http10WithoutHost", "GET / HTTP/1.0\r\n\r\n", Framing{}},
    {"Http10KeepAlive",
     "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n",
     {.keep_alive = true}},
    {"Http10CloseWins", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", Framing{}},
    {"CloseAnyCase", with("Connection: CLOSE\r\n"), kClosing},
    {"CloseInSecondLine", with("Connection: keep-alive\r\nConnection: close\r\n"), kClosing},
    {"CloseInList", with("Connection: foo, close\r\n"), kClosing},
    {"CloseIsAWholeToken", with("Connection: closed, enclose\r\n"), kNoBody},
    {"ConnectionEmptyElements", with("Connection: , ,\r\n"), kNoBody},
    {"UpgradeIsIgnored", with("Connection: upgrade\r\nUpgrade: websocket\r\n"), kNoBody},
    {"TwoFenceTokensPass", with("X-Fence-Token: 5\r\nX-Fence-Token: 6\r\n"), kNoBody},
    {"TwoTraceparentsPass", with("traceparent: a\r\ntraceparent: b\r\n"), kNoBody},
    {"RepeatedAccept", with("Accept: a/b\r\nAccept: c/d\r\n"), kNoBody},
    {"EmptyValue", with("X-Empty:\r\n"), kNoBody},
    {"EveryTokenByte", with("!#$%&'*+-.^`|~0aZ: x\r\n"), kNoBody},
    {"ColonsInValue", with("X: a:b::c\r\n"), kNoBody},
    {"TabInValue", with("X: a\tb\r\n"), kNoBody},
    {"MethodOf16Letters", with("", "ABCDEFGHIJKLMNOP"), kNoBody},
    {"HostIpv6", host("[::1]:8443"), kNoBody},
    {"HostIpv6NoPort", host("[2001:db8::1]"), kNoBody},
    {"HostMappedIpv4", host("[::ffff:10.0.0.1]"), kNoBody},
    {"HostUnderscore", host("my_service:8443"), kNoBody},
    {"HostHighestPort", host("a:65535"), kNoBody},
    {"HundredFields", fields(100), kNoBody},
};

class FriendlyHead : public testing::TestWithParam<Friendly> {};

TEST_P(FriendlyHead, IsFramedAsItsClientMeant) {
    const auto framing = check_framing(GetParam().head);

    ASSERT_TRUE(framing.has_value()) << framing.error().detail;
    const auto& expected = GetParam().framing;
    EXPECT_EQ(framing->is_http_1_1, expected.is_http_1_1);
    EXPECT_EQ(framing->keep_alive, expected.keep_alive);
    EXPECT_EQ(framing->chunked, expected.chunked);
    EXPECT_EQ(framing->content_length, expected.content_length);
    EXPECT_EQ(framing->expects_continue, expected.expects_continue);
}

INSTANTIATE_TEST_SUITE_P(FramingGate, FriendlyHead, testing::ValuesIn(kFriendly),
                         [](const auto& row) { return row.param.name; });

TEST(FindHeadEnd, PointsPastTheEmptyLine) {
    const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n";

    EXPECT_EQ(find_head_end(bytes, 0), bytes.find("body"));
}

TEST(FindHeadEnd, FindsATerminatorSplitBetweenReads) {
    const std::string bytes = "GET / HTTP/1.1\r\n\r\n";

    for (std::size_t scanned = 0; scanned < bytes.size(); ++scanned) {
        EXPECT_EQ(find_head_end(std::string_view(bytes).substr(0, scanned), 0), std::nullopt);
        EXPECT_EQ(find_head_end(bytes, scanned), bytes.size()) << "scanned " << scanned;
    }
}

TEST(FindHeadEnd, IsNothingWithoutATerminator) {
    EXPECT_EQ(find_head_end("", 0), std::nullopt);
    EXPECT_EQ(find_head_end("\r\n\r", 0), std::nullopt);
    EXPECT_EQ(find_head_end("a\n\nb\r\n", 0), std::nullopt);
}

}  // namespace
}  // namespace fencegate::proxy
