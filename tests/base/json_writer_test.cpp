#include "base/json_writer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace fencegate {
namespace {

std::string written(std::string_view text) {
    std::string out;
    JsonWriter(out).string(text);
    return out;
}

TEST(JsonWriter, PlacesCommasBetweenMembersAndItems) {
    std::string out;
    JsonWriter json(out);

    json.begin_object().member("a", "x").member("b", 2).key("c").begin_array();
    json.integer(1).string("y").null().boolean(true).begin_object().end_object();
    json.begin_array().end_array().end_array().member_bool("d", false).end_object();

    EXPECT_EQ(out, R"({"a":"x","b":2,"c":[1,"y",null,true,{},[]],"d":false})");
}

TEST(JsonWriter, WritesEmptyContainers) {
    std::string out;

    JsonWriter(out).begin_object().end_object();

    EXPECT_EQ(out, "{}");
}

TEST(JsonWriter, AppendsToWhatIsThereWithoutAComma) {
    std::string out = "data: ";

    JsonWriter(out).begin_object().member("a", 1).end_object();

    EXPECT_EQ(out, R"(data: {"a":1})");
}

TEST(JsonWriter, IsNotConfusedByTextThatEndsLikeAContainer) {
    std::string out;
    JsonWriter json(out);

    json.begin_array().string("{").string("[").string(":").string("").raw("[1]").end_array();

    EXPECT_EQ(out, R"(["{","[",":","",[1]])");
}

TEST(JsonWriter, EscapesQuotesAndBackslashes) {
    EXPECT_EQ(written(R"(a"b\c)"), R"("a\"b\\c")");
    EXPECT_EQ(written(R"("")"), R"("\"\"")");
}

TEST(JsonWriter, EscapesEveryControlCharacterAndNothingElse) {
    for (int code = 0; code < 256; ++code) {
        const char byte = static_cast<char>(code);
        if (byte == '"' || byte == '\\') continue;
        constexpr std::string_view kHexDigits = "0123456789abcdef";
        const auto at = static_cast<std::size_t>(code);
        const std::string escape{'\\', 'u', '0', '0', kHexDigits[at / 16], kHexDigits[at % 16]};

        const auto inner = code < 0x20 ? escape : std::string(1, byte);

        EXPECT_EQ(written(std::string(1, byte)), '"' + inner + '"') << "byte " << code;
    }
}

TEST(JsonWriter, KeepsPlainRunsAroundEscapes) {
    EXPECT_EQ(written("ab\ncd\tef"), "\"ab\\u000acd\\u0009ef\"");
    EXPECT_EQ(written("\nab\n"), "\"\\u000aab\\u000a\"");
    EXPECT_EQ(written("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
    EXPECT_EQ(written(""), "\"\"");
}

TEST(JsonWriter, EscapesMemberNames) {
    std::string out;

    JsonWriter(out).begin_object().member("a\"b", 1).end_object();

    EXPECT_EQ(out, R"({"a\"b":1})");
}

TEST(JsonWriter, WritesEveryInteger) {
    std::string out;

    JsonWriter(out)
        .begin_array()
        .integer(std::numeric_limits<std::int64_t>::min())
        .integer(std::numeric_limits<std::int64_t>::max())
        .integer(0)
        .end_array();

    EXPECT_EQ(out, "[-9223372036854775808,9223372036854775807,0]");
}

}  // namespace
}  // namespace fencegate
