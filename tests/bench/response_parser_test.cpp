#include "bench/response_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fencegate::bench {
namespace {

using State = ParsedResponse::State;

constexpr std::string_view kGranted =
    "HTTP/1.1 201 Created\r\n"
    "Content-Type: application/json\r\n"
    "X-Request-Id: 0190\r\n"
    "Location: /v1/leases/0190-aa\r\n"
    "x-fence-token: 8796093022209\r\n"
    "CONTENT-LENGTH: 2\r\n"
    "\r\n"
    "{}";

TEST(ResponseParser, FindsStatusSizeAndHeadersInAnyCase) {
    const auto response = parse_response(kGranted);

    ASSERT_EQ(response.state, State::Complete);
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(response.size, kGranted.size());
    EXPECT_EQ(response.location, "/v1/leases/0190-aa");
    EXPECT_EQ(response.fence_token, "8796093022209");
    EXPECT_EQ(response.body, "{}");
    EXPECT_FALSE(response.closes);
}

TEST(ResponseParser, FindsHowTheFenceStands) {
    const auto response = parse_response(
        "HTTP/1.1 201 Created\r\nX-Fence-Status: released\r\nContent-Length: 0\r\n\r\n");

    EXPECT_EQ(response.fence_status, "released");
    EXPECT_EQ(parse_response(kGranted).fence_status, "");
}

TEST(ResponseParser, EveryPrefixIsIncomplete) {
    for (std::size_t size = 0; size < kGranted.size(); ++size) {
        EXPECT_EQ(parse_response(kGranted.substr(0, size)).state, State::Incomplete) << size;
    }
}

TEST(ResponseParser, StopsAtTheEndOfTheFirstOfTwo) {
    const std::string two = std::string(kGranted) + "HTTP/1.1 204 No Content\r\n\r\n";

    const auto response = parse_response(two);

    EXPECT_EQ(response.state, State::Complete);
    EXPECT_EQ(response.size, kGranted.size());
}

TEST(ResponseParser, NoContentNeedsNoLength) {
    constexpr std::string_view kText = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

    const auto response = parse_response(kText);

    ASSERT_EQ(response.state, State::Complete);
    EXPECT_EQ(response.status, 204);
    EXPECT_EQ(response.size, kText.size());
    EXPECT_TRUE(response.closes);
}

struct MalformedCase {
    const char* name;
    const char* text;
};

class MalformedResponse : public ::testing::TestWithParam<MalformedCase> {};

TEST_P(MalformedResponse, IsToldFromIncomplete) {
    EXPECT_EQ(parse_response(GetParam().text).state, State::Malformed);
}

INSTANTIATE_TEST_SUITE_P(
    ResponseParser, MalformedResponse,
    ::testing::Values(
        MalformedCase{"NoLength", "HTTP/1.1 200 OK\r\nX: y\r\n\r\n"},
        MalformedCase{"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        MalformedCase{"NegativeLength", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
        MalformedCase{"LengthWithTail", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n"},
        MalformedCase{"EmptyLength", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"},
        MalformedCase{"NoColon", "HTTP/1.1 200 OK\r\nContent-Length\r\n\r\n"},
        MalformedCase{"NoStatus", "HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n"},
        MalformedCase{"Interim", "HTTP/1.1 100 Continue\r\n\r\n"},
        MalformedCase{"NotHttp", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
        MalformedCase{"Nothing", "\r\n\r\n"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace fencegate::bench
