#include "proxy/json/json_body.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using List = std::vector<std::string>;

Result<JsonBody> parse(std::string_view body) {
    return JsonBody::parse(body, {"ttl_ms", "owner", "shared", "locks", "metadata"});
}

// The detail of an InvalidJson refusal; empty when it was not refused that way.
std::string invalid_detail(std::string_view body) {
    const auto read = parse(body);
    return !read && read.error().code == ErrorCode::InvalidJson ? read.error().detail : "";
}

std::string metadata_of(std::string_view json) {
    const auto read = parse("{\"metadata\":" + std::string(json) + "}");
    return read ? read->object("metadata").value().value() : read.error().detail;
}

template <class T>
std::string wrong_type_detail(const Result<T>& got) {
    return !got && got.error().code == ErrorCode::InvalidArgument ? got.error().detail : "";
}

TEST(JsonBody, ReadsEveryTypeOfMember) {
    const auto body = parse(
        " { \"ttl_ms\" : 30000, \"owner\":\"w1\",\"shared\":true,\t\"locks\":[\"a\", \"b/c\"],\r\n"
        "\"metadata\": {\"a\": [1, {\"b\": null}], \"c\": false} } ");

    ASSERT_TRUE(body.has_value()) << body.error().detail;
    EXPECT_EQ(body->integer("ttl_ms").value(), 30000);
    EXPECT_EQ(body->text("owner").value(), "w1");
    EXPECT_EQ(body->boolean("shared").value(), true);
    EXPECT_EQ(body->text_list("locks").value(), (List{"a", "b/c"}));
    EXPECT_EQ(body->object("metadata").value(), R"({"a":[1,{"b":null}],"c":false})");
}

TEST(JsonBody, OutlivesTheBytesItWasReadFrom) {
    auto bytes = R"({"owner":"a rather long owner label","locks":["x"],"metadata":{"k":"v"}})"s;

    const auto body = parse(bytes);
    bytes.assign(bytes.size(), '#');

    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->text("owner").value(), "a rather long owner label");
    EXPECT_EQ(body->text_list("locks").value(), List{"x"});
    EXPECT_EQ(body->object("metadata").value(), R"({"k":"v"})");
}

TEST(JsonBody, SurvivesBeingMoved) {
    auto read = parse(R"({"owner":"o","metadata":{"k":1}})");
    ASSERT_TRUE(read.has_value());

    const JsonBody moved = *std::move(read);

    EXPECT_EQ(moved.text("owner").value(), "o");
    EXPECT_EQ(moved.object("metadata").value(), R"({"k":1})");
}

TEST(JsonBody, AbsentMembersAreNothing) {
    for (const auto body_text : {""sv, "{}"sv, " {\n} "sv}) {
        const auto body = parse(body_text);
        ASSERT_TRUE(body.has_value()) << body_text;
        EXPECT_EQ(body->integer("ttl_ms").value(), std::nullopt);
        EXPECT_EQ(body->text("owner").value(), std::nullopt);
        EXPECT_EQ(body->boolean("shared").value(), std::nullopt);
        EXPECT_EQ(body->text_list("locks").value(), std::nullopt);
        EXPECT_EQ(body->object("metadata").value(), std::nullopt);
    }
}

TEST(JsonBody, EmptyValuesAreNotAbsent) {
    const auto body = parse(R"({"owner":"","locks":[],"metadata":{},"ttl_ms":0,"shared":false})");

    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->text("owner").value(), "");
    EXPECT_EQ(body->text_list("locks").value(), List{});
    EXPECT_EQ(body->object("metadata").value(), "{}");
    EXPECT_EQ(body->integer("ttl_ms").value(), 0);
    EXPECT_EQ(body->boolean("shared").value(), false);
}

TEST(JsonBody, ReadsTheWholeRangeOfIntegers) {
    EXPECT_EQ(parse(R"({"ttl_ms":9223372036854775807})")->integer("ttl_ms").value(),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse(R"({"ttl_ms":-9223372036854775808})")->integer("ttl_ms").value(),
              std::numeric_limits<std::int64_t>::min());
}

TEST(JsonBody, RefusesIntegersBeyond64Bits) {
    for (const auto* number :
         {"9223372036854775808", "-9223372036854775809", "18446744073709551615",
          "18446744073709551616", "-18446744073709551615", "100000000000000000000000000000000"}) {
        const auto body = "{\"ttl_ms\":" + std::string(number) + "}";
        EXPECT_NE(invalid_detail(body).find("64 bits"), std::string::npos) << body;
    }
}

TEST(JsonBody, RefusesFloatsHoweverTheyAreSpelled) {
    for (const auto* number :
         {"1.0", "1e2", "1E2", "1e+2", "1e-2", "1.5", "-0.0", "0.0", "-0", "0e0", "-0e0", "1e400",
          "1e0000000000000000000000001", "100000000000000000.0", "1234567890123456789.5",
          "0.00000000000000000000000000000000000001", "123456789012345678901234567890e1"}) {
        const auto body = "{\"ttl_ms\":" + std::string(number) + "}";
        EXPECT_NE(invalid_detail(body), "") << body;
        EXPECT_NE(invalid_detail("{\"metadata\":{\"a\":[" + std::string(number) + "]}}"), "");
    }
    EXPECT_NE(invalid_detail(R"({"ttl_ms":1e2})").find("integers, never floats"),
              std::string::npos);
}

TEST(JsonBody, RefusesUnknownMembersByName) {
    EXPECT_EQ(invalid_detail(R"({"ttl_ms":1,"ttl":2})"),
              "Unknown member \"ttl\" (at byte 16 of the body).");
    EXPECT_NE(invalid_detail(R"({"":1})"), "");
    EXPECT_NE(invalid_detail(R"({"TTL_MS":1})"), "");
    EXPECT_NE(invalid_detail("{\"ttl_ms\\u0000\":1}"), "");
}

TEST(JsonBody, RefusesDuplicateMembers) {
    EXPECT_NE(invalid_detail(R"({"owner":"a","owner":"a"})").find("\"owner\" comes twice"),
              std::string::npos);
    EXPECT_NE(invalid_detail(R"({"owner":null,"owner":"a"})"), "");
}

TEST(JsonBody, RefusesDuplicatesBehindAnEscape) {
    EXPECT_NE(invalid_detail(R"({"owner":"a","own\u0065r":"b"})").find("comes twice"),
              std::string::npos);
}

TEST(JsonBody, RefusesNestedDuplicates) {
    for (const auto* json :
         {R"({"a":1,"a":2})", R"({"b":{"a":1,"c":2,"a":3}})", R"({"b":[{"a":1,"a":2}]})",
          R"({"a":{"b":1},"a":2})", R"({"x":{"y":{}},"z":1,"x":2})", R"({"":1,"":2})"})
        EXPECT_NE(metadata_of(json).find("comes twice"), std::string::npos) << json;
    EXPECT_NE(invalid_detail(R"({"locks":[{"a":1,"a":1}]})").find("comes twice"),
              std::string::npos);
}

TEST(JsonBody, LetsSiblingsUseTheSameNames) {
    const auto* json = R"({"a":{"a":1,"b":{"a":2}},"b":[{"a":1},{"a":1}],"c":{"a":3},"d":1})";

    EXPECT_EQ(metadata_of(json), json);
}

TEST(JsonBody, UnescapesText) {
    const auto body = parse(R"({"owner":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\udd12z"})");

    ASSERT_TRUE(body.has_value()) << body.error().detail;
    EXPECT_EQ(body->text("owner").value(), "a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x94\x92z");
}

TEST(JsonBody, JoinsTheItemsOfAListCorrectlyWhenEscaped) {
    const auto body = parse(R"({"locks":["\u0061b","","c\u0064"],"owner":"e\u0066"})");

    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->text_list("locks").value(), (List{"ab", "", "cd"}));
    EXPECT_EQ(body->text("owner").value(), "ef");
}

TEST(JsonBody, ReadsTextLongerThanTheParsersBuffer) {
    std::string escaped;
    for (int count = 0; count < 5000; ++count) escaped += "\\u0041b";
    std::string plain;
    for (int count = 0; count < 5000; ++count) plain += "Ab";

    const auto body = parse("{\"owner\":\"" + escaped + "\"}");

    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->text("owner").value(), plain);
    EXPECT_EQ(metadata_of("{\"a\":\"" + escaped + "\"}"), "{\"a\":\"" + plain + "\"}");
}

TEST(JsonBody, RewritesNestedObjectsCompactly) {
    EXPECT_EQ(metadata_of("{ \"a\" : [ ] , \"b\":{ } , \"\\u0063\\n\":\"\\u0041\\u000a\" }"),
              "{\"a\":[],\"b\":{},\"c\\u000a\":\"A\\u000a\"}");
    EXPECT_EQ(metadata_of(R"({"z":[[1,-2],[true,false,null]],"a":"\"\\"})"),
              R"({"z":[[1,-2],[true,false,null]],"a":"\"\\"})");
}

TEST(JsonBody, KeepsTextAfterANestedObject) {
    const auto body = parse(R"({"metadata":{"a":"b"},"owner":"o","locks":["l"]})");

    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->object("metadata").value(), R"({"a":"b"})");
    EXPECT_EQ(body->text("owner").value(), "o");
    EXPECT_EQ(body->text_list("locks").value(), List{"l"});
}

TEST(JsonBody, RefusesNulButNoOtherEscapedControl) {
    EXPECT_NE(invalid_detail(R"({"owner":"a\u0000b"})").find("U+0000"), std::string::npos);
    EXPECT_NE(invalid_detail(R"({"metadata":{"a":"\u0000"}})").find("U+0000"), std::string::npos);
    EXPECT_NE(invalid_detail(R"({"metadata":{"\u0000":1}})").find("U+0000"), std::string::npos);
    EXPECT_NE(invalid_detail(R"({"locks":[["\u0000"]]})").find("U+0000"), std::string::npos);
    EXPECT_EQ(parse(R"({"owner":"\u0001\u001f\u007f"})")->text("owner").value(), "\x01\x1f\x7f");
}

TEST(JsonBody, RefusesBodiesThatAreNotOneObject) {
    for (const auto* body : {"[]", "[1]", "1", "\"a\"", "null", "true", "-1", "[{}]"})
        EXPECT_NE(invalid_detail(body).find("not a JSON object"), std::string::npos) << body;
}

TEST(JsonBody, RefusesBrokenSyntax) {
    for (const auto body : {" "sv,
                            "{"sv,
                            "}"sv,
                            "{\"owner\""sv,
                            "{\"owner\":"sv,
                            "{\"owner\":\"a"sv,
                            "{\"owner\":\"a\""sv,
                            "{\"owner\":\"a\",}"sv,
                            "{,}"sv,
                            "{\"locks\":[\"a\",]}"sv,
                            "{owner:\"a\"}"sv,
                            "{'owner':'a'}"sv,
                            "{\"owner\" \"a\"}"sv,
                            "{\"ttl_ms\":01}"sv,
                            "{\"ttl_ms\":+1}"sv,
                            "{\"ttl_ms\":.5}"sv,
                            "{\"ttl_ms\":1.}"sv,
                            "{\"ttl_ms\":-}"sv,
                            "{\"ttl_ms\":0x10}"sv,
                            "{\"ttl_ms\":NaN}"sv,
                            "{\"ttl_ms\":Infinity}"sv,
                            "{\"shared\":True}"sv,
                            "{\"shared\":tru}"sv,
                            "{/* */}"sv,
                            "{} // x"sv,
                            "{\"owner\":\"a\nb\"}"sv,
                            "{\"owner\":\"a\0b\"}"sv,
                            "{\"owner\":\"\\x41\"}"sv,
                            "{\"owner\":\"\\u12\"}"sv,
                            "{\"owner\":\"\\ud83d\"}"sv,
                            "{\"owner\":\"\\udd12\"}"sv,
                            "{\"locks\":[\"a\"}"sv,
                            "{\"metadata\":{]}"sv,
                            "\0{}"sv,
                            "{}\0"sv})
        EXPECT_NE(invalid_detail(body), "") << body;
}

TEST(JsonBody, RefusesTextAfterTheObject) {
    for (const auto* body : {"{}{}", "{} x", "{},", "{}]", "{}null"})
        EXPECT_NE(invalid_detail(body), "") << body;
    EXPECT_TRUE(parse("{}\r\n").has_value());
}

TEST(JsonBody, RefusesTextThatIsNotUtf8) {
    for (const auto* bytes : {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                              "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"}) {
        const std::string text(bytes);
        EXPECT_NE(invalid_detail("{\"owner\":\"" + text + "\"}"), "");
        EXPECT_NE(invalid_detail("{\"owner\":\"\\n" + text + "\"}"), "");
        EXPECT_NE(invalid_detail("{\"metadata\":{\"" + text + "\":1}}"), "");
    }
}

TEST(JsonBody, RefusesAByteOrderMark) { EXPECT_NE(invalid_detail("\xef\xbb\xbf{}"), ""); }

TEST(JsonBody, SaysAtWhichByteItStopped) {
    EXPECT_NE(invalid_detail("{\"owner\":x}").find("at byte 9 "), std::string::npos)
        << invalid_detail("{\"owner\":x}");
}

TEST(JsonBody, AllowsEightLevelsAndNoMore) {
    const auto nested = [](int levels) {
        std::string json = "1";
        for (int level = 0; level < levels; ++level) json = "{\"a\":" + json + "}";
        return json;
    };

    EXPECT_EQ(metadata_of(nested(7)), nested(7));
    EXPECT_NE(metadata_of(nested(8)), nested(8));
    EXPECT_NE(invalid_detail("{\"locks\":" + std::string(8, '[') + std::string(8, ']') + "}"), "");
    EXPECT_NE(invalid_detail(std::string(100000, '[')), "");
}

TEST(JsonBody, BoundsMembersItemsAndNames) {
    std::string members;
    for (int at = 0; at < 128; ++at) members += (at ? ",\"" : "\"") + std::to_string(at) + "\":1";
    std::string items;
    for (int at = 0; at < 1024; ++at) items += at ? ",1" : "1";
    const auto body_with = [](const std::string& json) { return "{\"metadata\":{" + json + "}}"; };

    EXPECT_EQ(invalid_detail(body_with(members)), "");
    EXPECT_NE(invalid_detail(body_with(members + ",\"x\":1")), "");
    EXPECT_EQ(invalid_detail("{\"locks\":[" + items + "]}"), "");
    EXPECT_NE(invalid_detail("{\"locks\":[" + items + ",1]}"), "");
    EXPECT_EQ(invalid_detail(body_with("\"" + std::string(256, 'k') + "\":1")), "");
    EXPECT_NE(invalid_detail(body_with("\"" + std::string(257, 'k') + "\":1")), "");
}

TEST(JsonBody, NamesTheMemberAndTheTypeItShouldHave) {
    const auto body = parse(R"({"ttl_ms":"1","owner":1,"shared":0,"locks":"a","metadata":[]})");

    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(wrong_type_detail(body->integer("ttl_ms")), "Member \"ttl_ms\" must be an integer.");
    EXPECT_EQ(wrong_type_detail(body->text("owner")), "Member \"owner\" must be a string.");
    EXPECT_EQ(wrong_type_detail(body->boolean("shared")),
              "Member \"shared\" must be true or false.");
    EXPECT_EQ(wrong_type_detail(body->text_list("locks")),
              "Member \"locks\" must be an array of strings.");
    EXPECT_EQ(wrong_type_detail(body->object("metadata")),
              "Member \"metadata\" must be an object.");
}

TEST(JsonBody, NullIsOfNoType) {
    const auto body =
        parse(R"({"ttl_ms":null,"owner":null,"shared":null,"locks":null,"metadata":null})");

    ASSERT_TRUE(body.has_value());
    EXPECT_NE(wrong_type_detail(body->integer("ttl_ms")), "");
    EXPECT_NE(wrong_type_detail(body->text("owner")), "");
    EXPECT_NE(wrong_type_detail(body->boolean("shared")), "");
    EXPECT_NE(wrong_type_detail(body->text_list("locks")), "");
    EXPECT_NE(wrong_type_detail(body->object("metadata")), "");
}

TEST(JsonBody, AListOfAnythingElseIsNoListOfStrings) {
    for (const auto* list : {"[1]", "[\"a\",1]", "[\"a\",null]", "[true]", "[\"a\",[]]",
                             "[[\"a\"]]", "[{\"a\":\"b\"}]", "[{},\"a\"]"}) {
        const auto body = parse("{\"locks\":" + std::string(list) + ",\"owner\":\"o\"}");
        ASSERT_TRUE(body.has_value()) << list;
        EXPECT_NE(wrong_type_detail(body->text_list("locks")), "") << list;
        EXPECT_EQ(body->text("owner").value(), "o");
    }
}

TEST(JsonBodyDeathTest, AskingForAMemberThatWasNotAllowedIsABug) {
    const auto body = parse("{}");

    ASSERT_TRUE(body.has_value());
    EXPECT_DEATH(static_cast<void>(body->integer("ttl")), "invariant lost");
}

}  // namespace
}  // namespace fencegate::proxy
