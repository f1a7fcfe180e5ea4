#include "proxy/http/target.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {
namespace {

using namespace std::string_view_literals;
using Segments = std::vector<std::string_view>;

// The code a target is refused with; Internal for one that is accepted.
ErrorCode refusal_of(std::string_view text) {
    const auto target = parse_target(text);
    return target ? ErrorCode::Internal : target.error().code;
}

TEST(Target, SplitsThePathIntoSegments) {
    const auto target = parse_target("/v1/locks/payments/pay_42");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->segments, (Segments{"v1", "locks", "payments", "pay_42"}));
    EXPECT_EQ(target->path, "/v1/locks/payments/pay_42");
    EXPECT_TRUE(target->query.empty());
}

TEST(Target, TailIsTheLockNameByteForByte) {
    const auto target = parse_target("/v1/locks/a.b~c/D:e-f_9?x=1");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->tail(2), "a.b~c/D:e-f_9");
    EXPECT_EQ(target->tail(0), "v1/locks/a.b~c/D:e-f_9");
    EXPECT_EQ(target->tail(4), "");
}

TEST(Target, RootHasNoSegments) {
    const auto target = parse_target("/");

    ASSERT_TRUE(target.has_value());
    EXPECT_TRUE(target->segments.empty());
    EXPECT_EQ(target->tail(0), "");
}

TEST(Target, KeepsDotsInsideASegment) {
    const auto target = parse_target("/v1/locks/.../a..b/.hidden");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->tail(2), ".../a..b/.hidden");
}

TEST(Target, RefusesLockNamesThatOnlyANormaliserWouldTake) {
    for (const auto* text :
         {"/v1/locks/a%2Fb", "/v1/locks/a%2fb", "/v1/locks/%61", "/v1/locks/%00", "/v1/locks/a%5Cb",
          "/v1/locks/%2e%2e/a", "/v1/locks/a%", "/v1/locks/a\\b", "/v1/locks/a//b", "/v1/locks/a/",
          "/v1/locks/", "/v1/locks//", "/v1/locks/./a", "/v1/locks/../a", "/v1/locks/a/..",
          "/v1/locks/caf\xc3\xa9", "/v1/locks/a b", "/v1/locks/a#b"})
        EXPECT_EQ(refusal_of(text), ErrorCode::InvalidLockName) << text;
    EXPECT_EQ(refusal_of("/v1/locks/a\0b"sv), ErrorCode::InvalidLockName);
}

TEST(Target, RefusesOtherPathsAsBadRequests) {
    for (const auto* text :
         {"//", "//evil.example/v1", "/v1/../v1/locks/a", "/v1//locks/a", "/v1/payments/",
          "/v1/payments/%70ay", "/v1/payments\\x", "/.", "/..", "/v1/locks%2Fa"})
        EXPECT_EQ(refusal_of(text), ErrorCode::BadRequest) << text;
}

TEST(Target, RefusesTargetsWithoutALeadingSlash) {
    for (const auto* text : {"", "v1", "*", "?a=b", "http://a/b", "a:443"})
        EXPECT_EQ(refusal_of(text), ErrorCode::BadRequest) << text;
}

TEST(Target, SaysThatPathsAreNotDecoded) {
    const auto target = parse_target("/v1/locks/a%2Fb");

    ASSERT_FALSE(target.has_value());
    EXPECT_NE(target.error().detail.find("not percent-decoded"), std::string::npos);
}

TEST(Query, DecodesValuesOnce) {
    const auto target = parse_target("/v1/fence/verify?lock=payments%2Fpay_42&token=7&x=%252F");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->parameter("lock"), "payments/pay_42");
    EXPECT_EQ(target->parameter("token"), "7");
    EXPECT_EQ(target->parameter("x"), "%2F");
    EXPECT_EQ(target->parameter("absent"), std::nullopt);
    EXPECT_EQ(target->path, "/v1/fence/verify");
}

TEST(Query, KeepsRawSlashesEqualsAndQuestionMarks) {
    const auto target = parse_target("/v1/locks?prefix=a/b&cursor=bGFzdA==&q=what?");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->parameter("prefix"), "a/b");
    EXPECT_EQ(target->parameter("cursor"), "bGFzdA==");
    EXPECT_EQ(target->parameter("q"), "what?");
}

TEST(Query, TellsEmptyValuesFromAbsentOnes) {
    const auto target = parse_target("/v1/locks?prefix=&state");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->parameter("prefix"), "");
    EXPECT_EQ(target->parameter("state"), "");
    EXPECT_EQ(target->parameter("limit"), std::nullopt);
}

TEST(Query, MayBeEmpty) {
    const auto target = parse_target("/v1/locks?");

    ASSERT_TRUE(target.has_value());
    EXPECT_TRUE(target->query.empty());
}

TEST(Query, AcceptsUtf8) {
    const auto target = parse_target("/p?a=caf%C3%A9&b=%E2%82%AC&c=%F0%9F%94%92&d=%ED%9F%BF");

    ASSERT_TRUE(target.has_value());
    EXPECT_EQ(target->parameter("a"), "caf\xc3\xa9");
    EXPECT_EQ(target->parameter("b"), "\xe2\x82\xac");
    EXPECT_EQ(target->parameter("c"), "\xf0\x9f\x94\x92");
    EXPECT_EQ(target->parameter("d"), "\xed\x9f\xbf");
}

TEST(Query, RefusesWhatIsNotUtf8) {
    for (const auto* value :
         {"%FF", "%80", "%C3", "%C3%28", "%C0%AF", "%C1%81", "%E0%80%AF", "%E2%82", "%ED%A0%80",
          "%F0%80%80%AF", "%F4%90%80%80", "%F5%80%80%80", "a%E2%28%A1", "%F0%9F%94"})
        EXPECT_EQ(refusal_of("/p?a=" + std::string(value)), ErrorCode::BadRequest) << value;
}

// A row of the table of well-formed sequences (Unicode 15, table 3-7): what each byte may be.
struct Utf8Row {
    struct Range {
        unsigned low;
        unsigned high;
    };
    std::vector<Range> bytes;

    using Sequence = std::vector<unsigned>;
    // With the lowest or the highest of each byte.
    [[nodiscard]] std::vector<Sequence> corners() const {
        std::vector<Sequence> all{{}};
        for (const auto& range : bytes) {
            std::vector<Sequence> longer;
            for (const auto& begun : all) {
                for (const auto byte : {range.low, range.high}) {
                    longer.push_back(begun);
                    longer.back().push_back(byte);
                }
            }
            all = std::move(longer);
        }
        return all;
    }
};

const std::vector<Utf8Row> kUtf8Rows{
    {{{0xc2, 0xdf}, {0x80, 0xbf}}},
    {{{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}}},
    {{{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {{{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}}},
    {{{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {{{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {{{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}}},
    {{{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}}},
};

std::string escaped(const Utf8Row::Sequence& bytes) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string text = "/p?a=";
    for (const auto byte : bytes) {
        text += '%';
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

TEST(Query, AcceptsEverySequenceOfUtf8UpToItsBounds) {
    for (const auto& row : kUtf8Rows) {
        for (const auto& bytes : row.corners())
            EXPECT_TRUE(parse_target(escaped(bytes)).has_value()) << escaped(bytes);
    }
}

TEST(Query, RefusesEverySequenceOneByteBeyondTheBoundsOfUtf8) {
    for (const auto& row : kUtf8Rows) {
        for (const auto& bytes : row.corners()) {
            for (std::size_t at = 1; at < bytes.size(); ++at) {
                auto beyond = bytes;
                const auto& range = row.bytes[at];
                beyond[at] = bytes[at] == range.low ? range.low - 1 : range.high + 1;
                EXPECT_EQ(refusal_of(escaped(beyond)), ErrorCode::BadRequest) << escaped(beyond);
            }
            const Utf8Row::Sequence cut(bytes.begin(), bytes.end() - 1);
            EXPECT_EQ(refusal_of(escaped(cut)), ErrorCode::BadRequest) << escaped(cut);
        }
    }
    for (const unsigned lead : {0x80U, 0xbfU, 0xc0U, 0xc1U, 0xf5U, 0xffU})
        EXPECT_EQ(refusal_of(escaped({lead, 0x90, 0x80, 0x80})), ErrorCode::BadRequest) << lead;
}

TEST(Query, RefusesControlBytes) {
    for (const auto* value : {"%00", "%0A", "%0d%0a", "%1F", "%7F", "a%09b"})
        EXPECT_EQ(refusal_of("/p?a=" + std::string(value)), ErrorCode::BadRequest) << value;
}

TEST(Query, RefusesMalformedEscapes) {
    for (const auto* value : {"%", "%2", "%2G", "%G2", "%%", "a%", "%-1", "%4G", "%G1%80%80%80"})
        EXPECT_EQ(refusal_of("/p?a=" + std::string(value)), ErrorCode::BadRequest) << value;
}

TEST(Query, RefusesAPlusRatherThanGuess) {
    EXPECT_EQ(refusal_of("/p?at=10+02"), ErrorCode::BadRequest);
    EXPECT_EQ(parse_target("/p?at=10%2B02").value().parameter("at"), "10+02");
}

TEST(Query, RefusesRepeatedNames) {
    EXPECT_EQ(refusal_of("/p?lock=a&lock=b"), ErrorCode::BadRequest);
    EXPECT_EQ(refusal_of("/p?lock=a&lock=a"), ErrorCode::BadRequest);
}

TEST(Query, RefusesNamesThatAreEmptyOrEscaped) {
    for (const auto* query : {"=a", "&", "a=1&&b=2", "a=1&", "&a=1", "%61=1", "a[]=1", "a b=1"})
        EXPECT_EQ(refusal_of("/p?" + std::string(query)), ErrorCode::BadRequest) << query;
}

TEST(Query, HoldsAtMost32Parameters) {
    std::string text = "/p?p0=0";
    for (int at = 1; at < 32; ++at) text += "&p" + std::to_string(at) + "=0";

    EXPECT_TRUE(parse_target(text).has_value());
    EXPECT_EQ(refusal_of(text + "&p32=0"), ErrorCode::BadRequest);
}

}  // namespace
}  // namespace fencegate::proxy
