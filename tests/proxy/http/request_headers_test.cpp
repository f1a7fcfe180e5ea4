#include "proxy/http/request_headers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fencegate::proxy {
namespace {

using lockmgr::FencingToken;
using lockmgr::PresentedToken;

constexpr std::unexpected kMalformed{lockmgr::TokenFault::Malformed};

std::string head_with(std::string_view lines) {
    return "POST /v1/payments/pay_42/refunds?a=b HTTP/1.1\r\nHost: a\r\n" + std::string(lines) +
           "\r\n";
}

PresentedToken token_of(std::string_view lines) {
    const auto head = head_with(lines);
    return read_fence_token(read_head(head));
}

bool is_malformed_key(std::string_view raw) {
    const auto key = read_idempotency_key(raw);
    return !key && key.error().code == ErrorCode::IdempotencyKeyMalformed;
}

TEST(RequestHead, SplitsTheRequestLine) {
    const auto bytes = head_with("");

    const auto head = read_head(bytes);

    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/v1/payments/pay_42/refunds?a=b");
}

TEST(RequestHead, PicksEachHeaderWithoutItsBlanks) {
    const auto bytes = head_with(
        "authorization: Bearer k\r\nCONTENT-TYPE:application/json\r\nIdempotency-Key: \t i \r\n"
        "Traceparent: t\r\nx-fence-token:  7\t\r\nIf-Fence-Token: 8\r\nX-Other: o\r\n");

    const auto head = read_head(bytes);

    EXPECT_EQ(head.authorization, "Bearer k");
    EXPECT_EQ(head.content_type, "application/json");
    EXPECT_EQ(head.idempotency_key, "i");
    EXPECT_EQ(head.traceparent, "t");
    EXPECT_EQ(head.fence_token, "7");
    EXPECT_EQ(head.if_fence_token, "8");
    EXPECT_EQ(head.fence_token_count, 1);
}

TEST(RequestHead, LeavesAbsentHeadersAbsent) {
    const auto bytes = head_with("X-Authorization: a\r\nContent-Typ: b\r\nFence-Token: 9\r\n");

    const auto head = read_head(bytes);

    EXPECT_FALSE(head.authorization || head.content_type || head.idempotency_key);
    EXPECT_FALSE(head.traceparent || head.fence_token || head.if_fence_token);
    EXPECT_EQ(head.fence_token_count, 0);
}

TEST(RequestHead, TellsAnEmptyHeaderFromAnAbsentOne) {
    const auto bytes = head_with("X-Fence-Token:\r\n");

    EXPECT_EQ(read_head(bytes).fence_token, "");
}

TEST(RequestHead, TrustsNeitherOfTwoTraceparents) {
    const auto bytes = head_with("traceparent: a\r\ntraceparent: b\r\n");

    EXPECT_EQ(read_head(bytes).traceparent, "");
}

TEST(RequestHead, TakesNothingFromBytesAfterTheHead) {
    const auto bytes = head_with("") + "X-Fence-Token: 5\r\n";
    const auto head_bytes = std::string_view(bytes).substr(0, bytes.find("X-Fence"));

    EXPECT_EQ(read_head(head_bytes).fence_token_count, 0);
}

TEST(FenceToken, IsAbsentWithoutTheHeader) { EXPECT_EQ(token_of(""), lockmgr::kNoToken); }

TEST(FenceToken, IsReadFromItsDecimalForm) {
    EXPECT_EQ(token_of("X-Fence-Token: 1\r\n"), PresentedToken(FencingToken(1)));
    EXPECT_EQ(token_of("X-Fence-Token: 9007199254740991\r\n"),
              PresentedToken(FencingToken(9007199254740991)));
}

TEST(FenceToken, IsMalformedInEveryOtherSpelling) {
    for (const auto* value : {"", "0", "01", "-1", "+1", "1.0", "1e3", "0x1", "1 2", "1,2", "\"1\"",
                              "9007199254740992", "18446744073709551617", "abc"}) {
        const auto lines = "X-Fence-Token: " + std::string(value) + "\r\n";
        EXPECT_EQ(token_of(lines), kMalformed) << '"' << value << '"';
    }
}

TEST(FenceToken, SentTwiceIsMalformedEvenWhenEqual) {
    EXPECT_EQ(token_of("X-Fence-Token: 5\r\nx-fence-token: 5\r\n"), kMalformed);
}

TEST(IfFenceToken, IsReadApartFromTheFenceToken) {
    const auto bytes = head_with("X-Fence-Token: 5\r\nIf-Fence-Token: 6\r\n");
    const auto none = head_with("X-Fence-Token: 5\r\n");
    const auto bad = head_with("If-Fence-Token: six\r\n");

    EXPECT_EQ(read_if_fence_token(read_head(bytes)), PresentedToken(FencingToken(6)));
    EXPECT_EQ(read_if_fence_token(read_head(none)), lockmgr::kNoToken);
    EXPECT_EQ(read_if_fence_token(read_head(bad)), kMalformed);
}

TEST(IdempotencyKey, BareAndQuotedFormsNameTheSameKey) {
    EXPECT_EQ(read_idempotency_key("order-42"), "order-42");
    EXPECT_EQ(read_idempotency_key("\"order-42\""), "order-42");
}

TEST(IdempotencyKey, UnescapesOnlyQuoteAndBackslash) {
    EXPECT_EQ(read_idempotency_key(R"("a\"b\\c")"), R"(a"b\c)");
    EXPECT_TRUE(is_malformed_key(R"("a\nb")"));
    EXPECT_TRUE(is_malformed_key(R"("a\")"));
}

TEST(IdempotencyKey, KeepsBlanksOnlyInsideQuotes) {
    EXPECT_EQ(read_idempotency_key("\" a b \""), " a b ");
    EXPECT_TRUE(is_malformed_key("a b"));
    EXPECT_TRUE(is_malformed_key("a, b"));
}

TEST(IdempotencyKey, KeepsABackslashInABareKey) {
    EXPECT_EQ(read_idempotency_key(R"(a\b)"), R"(a\b)");
}

TEST(IdempotencyKey, RefusesEmptyKeys) {
    EXPECT_TRUE(is_malformed_key(""));
    EXPECT_TRUE(is_malformed_key("\"\""));
}

TEST(IdempotencyKey, RefusesQuotesOutOfPlace) {
    for (const auto* raw : {"\"", "\"a", "a\"", "a\"b", "\"a\"b\"", "\"a\"; p=1", "\"a\", \"b\""})
        EXPECT_TRUE(is_malformed_key(raw)) << raw;
}

TEST(IdempotencyKey, RefusesBytesThatDoNotPrint) {
    using namespace std::string_view_literals;
    for (const auto raw : {"a\0b"sv, "a\x7f"sv, "a\tb"sv, "caf\xc3\xa9"sv, "\"a\tb\""sv,
                           "\"a\x7f\""sv, "\"caf\xe9\""sv})
        EXPECT_TRUE(is_malformed_key(raw)) << raw;
}

TEST(IdempotencyKey, HoldsAtMost255BytesAfterUnquoting) {
    const std::string longest(255, 'k');
    std::string escaped = "\"";
    for (int count = 0; count < 255; ++count) escaped += R"(\\)";
    escaped += '"';

    EXPECT_EQ(read_idempotency_key(longest), longest);
    EXPECT_EQ(read_idempotency_key('"' + longest + '"'), longest);
    EXPECT_EQ(read_idempotency_key(escaped), std::string(255, '\\'));
    EXPECT_TRUE(is_malformed_key(longest + 'k'));
    EXPECT_TRUE(is_malformed_key('"' + longest + "k\""));
    EXPECT_TRUE(is_malformed_key(std::string(100000, '"')));
}

TEST(JsonContentType, AcceptsJsonWithOrWithoutUtf8) {
    for (const auto* type : {"application/json", "Application/JSON",
                             "application/json;charset=utf-8", "application/json; charset=UTF-8",
                             "application/json ; Charset=\"utf-8\"", "application/json;"})
        EXPECT_TRUE(check_json_content_type(type).has_value()) << type;
}

TEST(JsonContentType, RefusesEverythingElse) {
    for (const auto* type :
         {"", "text/json", "application/jsonp", "application/problem+json", "json", "*/*",
          "application/x-www-form-urlencoded", "application/json; charset=latin1",
          "application/json, text/plain", "application/json; charset=utf-8; charset=utf-7",
          "application/json charset=utf-8"}) {
        const auto checked = check_json_content_type(type);
        ASSERT_FALSE(checked.has_value()) << type;
        EXPECT_EQ(checked.error().code, ErrorCode::UnsupportedMediaType);
    }
}

TEST(JsonContentType, RefusesItsAbsence) {
    const auto checked = check_json_content_type(std::nullopt);

    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().code, ErrorCode::UnsupportedMediaType);
}

TEST(BearerKey, IsWhatFollowsTheScheme) {
    EXPECT_EQ(bearer_key("Bearer fg_live-1.2~3+4/5=="), "fg_live-1.2~3+4/5==");
    EXPECT_EQ(bearer_key("bEARER abc"), "abc");
    EXPECT_EQ(bearer_key("Bearer   abc"), "abc");
}

TEST(BearerKey, IsNothingForOtherCredentials) {
    for (const auto* value : {"", "Bearer", "Bearer ", "Bearer\tabc", "Basic abc", "Bearerabc",
                              "Bearer a b", "Bearer a,b", "Bearer \"a\"", "Bearer =", "Bearer a=b",
                              "Bearer caf\xc3\xa9", " Bearer abc", "abc"})
        EXPECT_EQ(bearer_key(value), std::nullopt) << value;
}

TEST(AcceptEncoding, AdmitsGzipByNameOrByStar) {
    for (const auto* value :
         {"gzip", "GZip", "x-gzip", "deflate, gzip", "gzip;q=0.5", "br;q=1.0, gzip ; q=0.001", "*",
          "br, *;q=0.1", " gzip ,", "gzip;Q=1"})
        EXPECT_TRUE(accepts_gzip(value)) << value;
}

TEST(AcceptEncoding, AdmitsItInNoOtherWay) {
    for (const auto* value :
         {"", ",", "identity", "deflate, br", "gzip;q=0", "gzip;q=0.000", "gzip;q=0, *", "*;q=0",
          "gzip;q=", "gzip;level=1", "gzip;q=0.5;x", "gzip q=1", "gzipped", "*/*"})
        EXPECT_FALSE(accepts_gzip(value)) << value;
}

TEST(Traceparent, AcceptsVersion00) {
    EXPECT_TRUE(is_valid_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    EXPECT_TRUE(is_valid_traceparent("00-00000000000000000000000000000001-0000000000000001-ff"));
}

TEST(Traceparent, RefusesEverythingElse) {
    for (const auto* text : {
             "",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
             "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bx-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
             "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
             "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
             "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
         })
        EXPECT_FALSE(is_valid_traceparent(text)) << text;
}

}  // namespace
}  // namespace fencegate::proxy
