// The matcher that most tests of the wire stand on: it finds every kind of difference, and says
// which.
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>

namespace fencegate::testing {
namespace {

Response payment() {
    return {.status = 201,
            .headers = {{"Location", "/v1/payments/p"}, {"Retry-After", "5"}},
            .body = R"({"id":"p","amount":1234,"open":false,"at":"2026-01-01T00:00:00Z",)"
                    R"("note":"","tags":["a","b"],"holder":{"owner":"ann","token":7}})"};
}

std::string explanation(const Response& reply, const ReplyMatcher& matcher) {
    std::ostringstream out;
    EXPECT_FALSE(matcher.MatchAndExplain(reply, &out));
    return out.str();
}

TEST(ReplyMatcher, TakesAReplyThatSaysMore) {
    EXPECT_THAT(payment(), Is(201));
    EXPECT_THAT(payment(), Says(R"({"holder":{"owner":"$","token":$},"open":$})", "ann", 7, false));
    EXPECT_THAT(payment(), Is(201, R"({"tags":["a","<any>"],"amount":"<1234..1234>"})")
                               .with("location", "<.../payments/...>")
                               .with("Retry-After", "5"));
    EXPECT_THAT(payment(), Says(R"({"at":"<time>","id":"<text>","refund":"<absent>"})")
                               .with("Retry-After", "<1..>")
                               .with("ETag", "<absent>"));
}

struct DifferenceRow {
    const char* name;
    const char* members;
    const char* difference;
};

std::ostream& operator<<(std::ostream& out, const DifferenceRow& row) { return out << row.name; }

class Difference : public ::testing::TestWithParam<DifferenceRow> {};

TEST_P(Difference, IsFoundAndSaysWhereItIs) {
    EXPECT_EQ(explanation(payment(), Says(GetParam().members)), GetParam().difference);
}

INSTANTIATE_TEST_SUITE_P(
    ReplyMatcher, Difference,
    ::testing::Values(
        DifferenceRow{"OtherNumber", R"({"amount":1})", "/amount is 1234; "},
        DifferenceRow{"OtherText", R"({"id":"q"})", "/id is \"p\"; "},
        DifferenceRow{"OtherFlag", R"({"open":true})", "/open is false; "},
        DifferenceRow{"OtherType", R"({"amount":"1234"})", "/amount is 1234; "},
        DifferenceRow{"Missing", R"({"refund":1})", "/refund is absent; "},
        DifferenceRow{"MissingBelow", R"({"holder":{"id":1}})", "/holder/id is absent; "},
        DifferenceRow{"TwoOfThem", R"({"id":"q","amount":1})", "/id is \"p\"; /amount is 1234; "},
        DifferenceRow{"NoObject", R"({"id":{}})", "/id is \"p\"; "},
        DifferenceRow{"Element", R"({"tags":["a","c"]})", "/tags/1 is \"b\"; "},
        DifferenceRow{"Length", R"({"tags":["a"]})", R"(/tags is ["a","b"] of 2 elements; )"},
        DifferenceRow{"NotAbsent", R"({"id":"<absent>"})", "/id is \"p\"; "},
        DifferenceRow{"NotAny", R"({"refund":"<any>"})", "/refund is absent; "},
        DifferenceRow{"EmptyText", R"({"note":"<text>"})", "/note is \"\"; "},
        DifferenceRow{"NumberAsText", R"({"amount":"<text>"})", "/amount is 1234; "},
        DifferenceRow{"NoTime", R"({"id":"<time>"})", "/id is \"p\"; "},
        DifferenceRow{"Below", R"({"amount":"<1235..>"})", "/amount is 1234; "},
        DifferenceRow{"Above", R"({"amount":"<..1233>"})", "/amount is 1234; "},
        DifferenceRow{"TextInRange", R"({"id":"<0..9>"})", "/id is \"p\"; "},
        DifferenceRow{"OtherPart", R"({"id":"<...q...>"})", "/id is \"p\"; "},
        DifferenceRow{"NothingKnown", R"({"id":"<txt>"})", "/id is \"p\"; "}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReplyMatcher, FindsAnotherStatusAndAnotherHeader) {
    EXPECT_EQ(explanation(payment(), Is(200)), "the status is 201; ");
    EXPECT_EQ(explanation(payment(), Is(201).with("Location", "/v1/payments/q")),
              "header Location is \"/v1/payments/p\"; ");
    EXPECT_EQ(explanation(payment(), Is(201).with("ETag", "<any>")), "header ETag is absent; ");
    EXPECT_EQ(explanation(payment(), Is(201).with("Retry-After", "<absent>")),
              "header Retry-After is 5; ");
}

TEST(ReplyMatcher, FindsABodyThatIsNoJson) {
    EXPECT_EQ(explanation({.status = 200, .headers = {}, .body = "{"}, Says("{}")),
              "the body is no JSON; ");
}

TEST(ReplyMatcher, TellsTheWholeReply) {
    EXPECT_EQ(::testing::PrintToString(Response{423, {{"Retry-After", "1"}}, R"({"code":"x"})"}),
              "423\nRetry-After: 1\n\n{\"code\":\"x\"}\n");
}

// What every problem has; what is left out or wrong is found.
TEST(ReplyMatcher, HoldsAProblemToTheContract) {
    const Response held{
        423,
        {{"Content-Type", "application/problem+json"},
         {"Cache-Control", "no-store"},
         {"X-Request-Id", "r"}},
        R"({"type":"urn:fencegate:problem:lock_held","code":"lock_held","status":423,)"
        R"("title":"t","detail":"d","retryable":true,"request_id":"r","lock":"a"})"};
    EXPECT_THAT(held, Refused(423, "lock_held", R"({"lock":"$"})", "a"));

    for (const std::string_view part :
         {"urn:fencegate:problem:lock_held", "423", "\"t\"", "\"d\"", "true", "\"r\"", "\"a\""}) {
        auto other = held;
        other.body.replace(other.body.find(part), part.size(), "\"\"");
        EXPECT_THAT(other, ::testing::Not(Refused(423, "lock_held", R"({"lock":"a"})"))) << part;
    }
    for (std::size_t header = 0; header < held.headers.size(); ++header) {
        auto other = held;
        other.headers[header].second = "other";
        EXPECT_THAT(other, ::testing::Not(Refused(423, "lock_held")));
    }
}

TEST(ReplyMatcher, TakesNoPatternThatCannotBeMeant) {
    EXPECT_THROW(static_cast<void>(Is(200, R"({"id":)")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(Is(200, R"({"id":"$"})")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(Is(200, R"({"id":"$"})", "a", "b")), std::invalid_argument);
}

}  // namespace
}  // namespace fencegate::testing
