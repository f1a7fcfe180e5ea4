// The limits of metadata, on objects as JsonBody returns them.
#include "proxy/json/metadata.hpp"

#include "proxy/json/json_body.hpp"

#include <gtest/gtest.h>

namespace fencegate::proxy {
namespace {

std::string refusal_of(const std::string& object) {
    const auto body = JsonBody::parse(R"({"metadata":)" + object + "}", {"metadata"});
    if (!body) return "no JSON";
    const auto fits = check_metadata(body->object("metadata")->value_or(""));
    return fits ? "" : fits.error().detail;
}

std::string members(int count) {
    std::string object = "{";
    for (int at = 0; at < count; ++at)
        object += (at > 0 ? ",\"" : "\"") + std::to_string(at) + R"(":"x")";
    return object + "}";
}

TEST(Metadata, TakesScalarsUpToItsLimits) {
    EXPECT_EQ(refusal_of("{}"), "");
    EXPECT_EQ(refusal_of(R"({"a":1,"b":true,"c":null,"d":-7,"e":"}],{","f":""})"), "");
    EXPECT_EQ(refusal_of(members(50)), "");
    EXPECT_EQ(
        refusal_of(R"({")" + std::string(40, 'n') + R"(":")" + std::string(500, 'v') + R"("})"),
        "");
}

TEST(Metadata, CountsBytesAndNotEscapes) {
    std::string quotes;
    for (int at = 0; at < 500; ++at) quotes += R"(\")";
    std::string controls;
    for (int at = 0; at < 500; ++at) controls += R"(\u0001)";

    EXPECT_EQ(refusal_of(R"({"a":")" + quotes + R"("})"), "");
    EXPECT_EQ(refusal_of(R"({"a":")" + controls + R"("})"), "");
    EXPECT_NE(refusal_of(R"({"a":")" + quotes + R"(\""})"), "");
}

TEST(Metadata, BeyondThemSaysWhatIsWrong) {
    EXPECT_EQ(refusal_of(members(51)), "metadata must have at most 50 members.");
    EXPECT_EQ(refusal_of(R"({")" + std::string(41, 'n') + R"(":1})"),
              "A name in metadata must have at most 40 bytes.");
    EXPECT_EQ(refusal_of(R"({"ok":1,"long":")" + std::string(501, 'v') + R"("})"),
              "metadata \"long\" must have at most 500 bytes.");
    for (const auto* object : {R"({"ok":"{","cart":{"a":1}})", R"({"cart":[]})"}) {
        EXPECT_EQ(refusal_of(object),
                  "metadata \"cart\" must be a text, a whole number, true, false or null.");
    }
}

}  // namespace
}  // namespace fencegate::proxy
