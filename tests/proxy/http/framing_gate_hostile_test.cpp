// What the framing gate must refuse. Each row names the rule that has to stop it.
#include "proxy/http/framing_gate.hpp"
#include "tests/proxy/http/request_heads.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {
namespace {

using namespace std::string_literals;

struct Hostile {
    const char* name;
    std::string head;
    const char* rule;  // a part of the detail, so that no row passes for another row's reason
};

std::ostream& operator<<(std::ostream& out, const Hostile& row) { return out << row.name; }

const char* const kContentLengthRule = "Content-Length is not";
const char* const kTransferRule = "not exactly \"chunked\"";
const char* const kBothRule = "both sent";
const char* const kValueRule = "holds a control byte";
const char* const kNameRule = "no token may hold";
const char* const kHostRule = "Host is not";
const char* const kTwiceRule = "more than once";
const char* const kLineRule = "request line is not";
const char* const kMethodRule = "method is not";
const char* const kVersionRule = "version is neither";
const char* const kOriginRule = "origin form";
const char* const kTargetRule = "outside visible ASCII";
const char* const kFoldRule = "folding";
const char* const kBareCrRule = "bare CR";
const char* const kBareLfRule = "bare LF";
const char* const kTrailerRule = "Trailer fields";

const std::vector<Hostile> kHostile = {
    // Where the body ends: Content-Length against Transfer-Encoding.
    {"LengthThenChunked", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), kBothRule},
    {"ChunkedThenLength", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), kBothRule},
    {"ChunkedWithZeroLength", with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
     kBothRule},
    {"GzipThenLength", with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), kTransferRule},
    {"Gzip", with("Transfer-Encoding: gzip\r\n"), kTransferRule},
    {"Identity", with("Transfer-Encoding: identity\r\n"), kTransferRule},
    {"Xchunked", with("Transfer-Encoding: xchunked\r\n"), kTransferRule},
    {"Chunkedx", with("Transfer-Encoding: chunkedx\r\n"), kTransferRule},
    {"GzipChunked", with("Transfer-Encoding: gzip, chunked\r\n"), kTransferRule},
    {"ChunkedGzip", with("Transfer-Encoding: chunked, gzip\r\n"), kTransferRule},
    {"ChunkedIdentity", with("Transfer-Encoding: chunked, identity\r\n"), kTransferRule},
    {"ChunkedTwiceInOneLine", with("Transfer-Encoding: chunked, chunked\r\n"), kTransferRule},
    {"CommaChunked", with("Transfer-Encoding: ,chunked\r\n"), kTransferRule},
    {"ChunkedComma", with("Transfer-Encoding: chunked,\r\n"), kTransferRule},
    {"QuotedChunked", with("Transfer-Encoding: \"chunked\"\r\n"), kTransferRule},
    {"ApostrophedChunked", with("Transfer-Encoding: 'chunked'\r\n"), kTransferRule},
    {"ChunkedWithParameter", with("Transfer-Encoding: chunked;q=1\r\n"), kTransferRule},
    {"EmptyTransferEncoding", with("Transfer-Encoding:\r\n"), kTransferRule},
    {"BlankInChunked", with("Transfer-Encoding: chunk ed\r\n"), kTransferRule},
    {"TwoChunkedLines", with("Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
     kTwiceRule},
    {"ChunkedThenGzipLines", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"),
     kTwiceRule},
    {"VerticalTabChunked", with("Transfer-Encoding: \vchunked\r\n"), kValueRule},
    {"ChunkedNul", with("Transfer-Encoding: chunked\0\r\n"s), kValueRule},
    {"NoBreakSpaceChunked",
     with("Transfer-Encoding: \xa0"
          "chunked\r\n"),
     kValueRule},
    {"ChunkedOnHttp10", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.0 has no"},
    {"TransferEncodingSpaceColon", with("Transfer-Encoding : chunked\r\n"), "its colon"},
    {"TransferEncodingTabColon", with("Transfer-Encoding\t: chunked\r\n"), "its colon"},
    {"TransferEncodingNulName", with("Transfer-Encoding\0: chunked\r\n"s), kNameRule},
    {"TransferEncodingSplitByLf", with("X: y\nTransfer-Encoding: chunked\r\n"), kBareLfRule},
    {"TransferEncodingAfterCr", with("X: y\rTransfer-Encoding: chunked\r\n"), kBareCrRule},
    {"FoldedTransferEncoding", with("Transfer-Encoding:\r\n chunked\r\n"), kTransferRule},
    {"LeadingBlankTransferEncoding", with(" Transfer-Encoding: chunked\r\n"), kFoldRule},
    {"UnderscoreTransferEncoding", with("Transfer_Encoding: chunked\r\n"), "\"_\""},
    {"GetWithLength", with("Content-Length: 5\r\n", "GET"), "take no body"},
    {"GetChunked", with("Transfer-Encoding: chunked\r\n", "GET"), "take no body"},
    {"HeadWithLength", with("Content-Length: 1\r\n", "HEAD"), "take no body"},
    // Content-Length.
    {"TwoEqualLengths", with("Content-Length: 5\r\nContent-Length: 5\r\n"), kTwiceRule},
    {"TwoDifferentLengths", with("Content-Length: 5\r\nContent-Length: 6\r\n"), kTwiceRule},
    {"TwoZeroLengths", with("Content-Length: 0\r\ncontent-length: 0\r\n"), kTwiceRule},
    {"LengthList", with("Content-Length: 5, 5\r\n"), kContentLengthRule},
    {"LengthTrailingComma", with("Content-Length: 5,\r\n"), kContentLengthRule},
    {"LengthLeadingZeros", with("Content-Length: 005\r\n"), kContentLengthRule},
    {"LengthDoubleZero", with("Content-Length: 00\r\n"), kContentLengthRule},
    {"LengthPlus", with("Content-Length: +5\r\n"), kContentLengthRule},
    {"LengthMinus", with("Content-Length: -5\r\n"), kContentLengthRule},
    {"LengthMinusZero", with("Content-Length: -0\r\n"), kContentLengthRule},
    {"LengthHex", with("Content-Length: 0x5\r\n"), kContentLengthRule},
    {"LengthExponent", with("Content-Length: 1e2\r\n"), kContentLengthRule},
    {"LengthDecimals", with("Content-Length: 5.0\r\n"), kContentLengthRule},
    {"LengthEmpty", with("Content-Length:\r\n"), kContentLengthRule},
    {"LengthQuoted", with("Content-Length: \"5\"\r\n"), kContentLengthRule},
    {"LengthInnerBlank", with("Content-Length: 5 5\r\n"), kContentLengthRule},
    {"LengthUnderscore", with("Content-Length: 1_0\r\n"), kContentLengthRule},
    {"LengthTwoToThe64", with("Content-Length: 18446744073709551616\r\n"), kContentLengthRule},
    {"LengthTwentyDigits", with("Content-Length: 10000000000000000000\r\n"), kContentLengthRule},
    {"LengthSpaceColon", with("Content-Length : 5\r\n"), "its colon"},
    {"LengthFullWidthDigit", with("Content-Length: \xef\xbc\x95\r\n"), kValueRule},
    {"FoldedLength", with("Content-Length: 5\r\n 0\r\n"), kFoldRule},
    // Trailers.
    {"TrailerToken", with("Trailer: X-Fence-Token\r\nTransfer-Encoding: chunked\r\n"),
     kTrailerRule},
    {"TrailerAuthorization", with("Trailer: Authorization\r\n"), kTrailerRule},
    {"TrailerEmpty", with("trailer:\r\n"), kTrailerRule},
    // Host.
    {"NoHost", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n", "needs a Host"},
    {"NoFieldsAtAll", "GET / HTTP/1.1\r\n\r\n", "needs a Host"},
    {"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", kTwiceRule},
    {"TwoEqualHosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", kTwiceRule},
    {"TwoHostsOnHttp10", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", kTwiceRule},
    {"BadHostOnHttp10", "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", kHostRule},
    {"HostEmpty", host(""), kHostRule},
    {"HostList", host("a, b"), kHostRule},
    {"HostUserInfo", host("user@a"), kHostRule},
    {"HostPath", host("a/b"), kHostRule},
    {"HostBlank", host("a b"), kHostRule},
    {"HostPercent", host("a%00b"), kHostRule},
    {"HostPortEmpty", host("a:"), kHostRule},
    {"HostPortLetters", host("a:http"), kHostRule},
    {"HostPortTooLarge", host("a:65536"), kHostRule},
    {"HostOnlyPort", host(":8443"), kHostRule},
    {"HostTwoPorts", host("a:1:2"), kHostRule},
    {"HostBareIpv6", host("::1"), kHostRule},
    {"HostBracketOpen", host("[::1"), kHostRule},
    {"HostBracketEmpty", host("[]"), kHostRule},
    {"HostBracketJunk", host("[::1]x"), kHostRule},
    {"HostBracketLetters", host("[evil]"), kHostRule},
    {"HostMarkup", host("<script>"), kHostRule},
    // Lines.
    {"BareLfAfterRequestLine", "GET / HTTP/1.1\nHost: a\r\n\r\n", kBareLfRule},
    {"BareLfAfterField", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", kBareLfRule},
    {"BareLfInValue", with("X: a\nb\r\n"), kBareLfRule},
    {"EmptyLineByLf", with("X: a\r\n\nY: b\r\n"), kBareLfRule},
    {"BareCrInValue", with("X: a\rb\r\n"), kBareCrRule},
    {"BareCrInRequestLine", line("GET /\ra HTTP/1.1"), kBareCrRule},
    {"CrCrLf", with("X: a\r\r\n"), kBareCrRule},
    {"LeadingCrLf", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", kLineRule},
    {"EmptyLineInside", "GET / HTTP/1.1\r\nHost: a\r\n\r\nX: y\r\n\r\n", "empty line"},
    {"NoEnd", "GET / HTTP/1.1\r\nHost: a\r\n", "does not end"},
    {"Empty", "", "does not end"},
    {"OnlyEnd", "\r\n\r\n", kLineRule},
    {"FoldedToken", with("X-Fence-Token: 1\r\n 2\r\n"), kFoldRule},
    {"FoldedByTab", with("X-Fence-Token: 1\r\n\t2\r\n"), kFoldRule},
    {"FoldedFirstField", "GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n", kFoldRule},
    {"FoldOfBlanksOnly", with("X: a\r\n \r\n"), kFoldRule},
    // Names.
    {"EmptyName", with(": value\r\n"), "empty name"},
    {"NoColon", with("X-Fence-Token 5\r\n"), "no colon"},
    {"BlankBeforeColon", with("X-Fence-Token : 5\r\n"), "its colon"},
    {"BlankInName", with("X Fence: 5\r\n"), kNameRule},
    {"SlashInName", with("X/Fence: 5\r\n"), kNameRule},
    {"ParenthesisInName", with("X(Fence): 5\r\n"), kNameRule},
    {"ObsTextInName", with("X\x80: 5\r\n"), kNameRule},
    {"DeleteInName", with("X\x7f: 5\r\n"), kNameRule},
    {"NulInName", with("Authorization\0: x\r\n"s), kNameRule},
    {"UnderscoreToken", with("X_Fence_Token: 5\r\n"), "\"_\""},
    {"UnderscoreKey", with("Idempotency_Key: 5\r\n"), "\"_\""},
    // Values.
    {"NulInValue", with("X-Fence-Token: 5\0\r\n"s), kValueRule},
    {"EscapeInValue", with("X: \x1b[31m\r\n"), kValueRule},
    {"DeleteInValue", with("X: a\x7f\r\n"), kValueRule},
    {"FormFeedInValue", with("X: a\fb\r\n"), kValueRule},
    {"ObsTextInValue", with("X: caf\xe9\r\n"), kValueRule},
    {"Utf8InValue", with("X: caf\xc3\xa9\r\n"), kValueRule},
    {"HighestByteInValue", with("X: \xff\r\n"), kValueRule},
    // Fields that decide who may do what.
    {"TwoAuthorizations", with("Authorization: Bearer a\r\nauthorization: Bearer b\r\n"),
     kTwiceRule},
    {"TwoIdempotencyKeys", with("Idempotency-Key: a\r\nIdempotency-Key: a\r\n"), kTwiceRule},
    {"TwoContentTypes", with("Content-Type: a/b\r\nContent-Type: application/json\r\n"),
     kTwiceRule},
    {"TwoIfFenceTokens", with("If-Fence-Token: 1\r\nIf-Fence-Token: 1\r\n"), kTwiceRule},
    {"TwoExpects", with("Expect: 100-continue\r\nExpect: 100-continue\r\n"), kTwiceRule},
    {"ExpectOther", with("Expect: 200-ok\r\n"), "only expectation"},
    {"ExpectList", with("Expect: 100-continue, x\r\n"), "only expectation"},
    {"ConnectionNotTokens", with("Connection: keep alive\r\n"), "list of tokens"},
    {"ConnectionQuoted", with("Connection: \"close\"\r\n"), "list of tokens"},
    // The request line.
    {"TwoBlanksBeforeTarget", line("GET  / HTTP/1.1"), kOriginRule},
    {"TwoBlanksAfterTarget", line("GET /  HTTP/1.1"), kTargetRule},
    {"TrailingBlank", line("GET / HTTP/1.1 "), kTargetRule},
    {"LeadingBlank", line(" GET / HTTP/1.1"), kMethodRule},
    {"TabSeparators", line("GET\t/\tHTTP/1.1"), kLineRule},
    {"TabInTarget", line("GET /a\tb HTTP/1.1"), kTargetRule},
    {"BlankInTarget", line("GET /a b HTTP/1.1"), kTargetRule},
    {"NulInTarget", line("GET /a\0b HTTP/1.1"s), kTargetRule},
    {"HighByteInTarget", line("GET /\xff HTTP/1.1"), kTargetRule},
    {"Utf8InTarget", line("GET /caf\xc3\xa9 HTTP/1.1"), kTargetRule},
    {"DeleteInTarget", line("GET /\x7f HTTP/1.1"), kTargetRule},
    {"FragmentInTarget", line("GET /a#b HTTP/1.1"), "fragment"},
    {"AbsoluteForm", line("GET http://other.example/ HTTP/1.1"), kOriginRule},
    {"AbsoluteFormHttps", line("GET https://pay.example/v1/locks HTTP/1.1"), kOriginRule},
    {"AuthorityForm", line("CONNECT pay.example:443 HTTP/1.1"), kOriginRule},
    {"AsteriskForm", line("OPTIONS * HTTP/1.1"), kOriginRule},
    {"NoSlash", line("GET v1/payments HTTP/1.1"), kOriginRule},
    {"OnlyQuery", line("GET ?a=b HTTP/1.1"), kOriginRule},
    {"LowerCaseMethod", line("get / HTTP/1.1"), kMethodRule},
    {"MixedCaseMethod", line("Get / HTTP/1.1"), kMethodRule},
    {"EmptyMethod", line(" / HTTP/1.1"), kMethodRule},
    {"LongMethod", line("ABCDEFGHIJKLMNOPQ / HTTP/1.1"), kMethodRule},
    {"MethodWithDigit", line("GET1 / HTTP/1.1"), kMethodRule},
    {"MethodWithNul", line("GE\0T / HTTP/1.1"s), kMethodRule},
    {"NoVersion", line("GET /"), kLineRule},
    {"Http09", line("GET / HTTP/0.9"), kVersionRule},
    {"Http12", line("GET / HTTP/1.2"), kVersionRule},
    {"Http20", line("GET / HTTP/2.0"), kVersionRule},
    {"Http2", line("GET / HTTP/2"), kVersionRule},
    {"Http011", line("GET / HTTP/01.1"), kVersionRule},
    {"LowerCaseVersion", line("GET / http/1.1"), kVersionRule},
    {"VersionWithCommas", line("GET / HTTP/1,1"), kVersionRule},
    {"VersionWithJunk", line("GET / HTTP/1.1x"), kVersionRule},
    {"TlsRecord", "\x16\x03\x01\x02 a b\r\n\r\n", kMethodRule},
    {"Http2Preface", "PRI * HTTP/2.0\r\n\r\n", kOriginRule},
};

class HostileHead : public testing::TestWithParam<Hostile> {};

TEST_P(HostileHead, IsRefusedByItsRule) {
    const auto framing = check_framing(GetParam().head);

    ASSERT_FALSE(framing.has_value());
    EXPECT_EQ(framing.error().code, ErrorCode::BadRequest);
    EXPECT_NE(framing.error().detail.find(GetParam().rule), std::string::npos)
        << framing.error().detail;
}

INSTANTIATE_TEST_SUITE_P(FramingGate, HostileHead, testing::ValuesIn(kHostile),
                         [](const auto& row) { return row.param.name; });

TEST(FramingGate, RefusesMoreThanAHundredFieldsAsTooLarge) {
    const auto framing = check_framing(fields(101));

    ASSERT_FALSE(framing.has_value());
    EXPECT_EQ(framing.error().code, ErrorCode::HeaderTooLarge);
}

TEST(FramingGate, RefusesEveryControlAndHighByteInAValue) {
    for (int byte = 0; byte < 256; ++byte) {
        const bool is_allowed = byte == '\t' || (byte >= 0x20 && byte < 0x7f);
        const auto head = with("X-Any: a" + std::string(1, static_cast<char>(byte)) + "b\r\n");

        EXPECT_EQ(check_framing(head).has_value(), is_allowed) << "byte " << byte;
    }
}

TEST(FramingGate, RefusesEveryByteBeforeAndAfterTransferEncodingThatIsNotABlank) {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string gadget(1, static_cast<char>(byte));
        const bool is_blank = byte == ' ' || byte == '\t';

        EXPECT_EQ(check_framing(with("Transfer-Encoding:" + gadget + "chunked\r\n")).has_value(),
                  is_blank)
            << "before, byte " << byte;
        EXPECT_EQ(check_framing(with("Transfer-Encoding: chunked" + gadget + "\r\n")).has_value(),
                  is_blank)
            << "after, byte " << byte;
    }
}

TEST(FramingGate, NamesTheHeaderThatIsSentTwice) {
    const auto framing = check_framing(with("Idempotency-Key: a\r\nidempotency-key: b\r\n"));

    ASSERT_FALSE(framing.has_value());
    EXPECT_EQ(framing.error().detail, "Header idempotency-key is sent more than once.");
}

}  // namespace
}  // namespace fencegate::proxy
