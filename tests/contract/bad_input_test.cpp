// Bad input gets a clear error and changes nothing.
#include "tests/contract/gateway_suite.hpp"

namespace fencegate::contract {
namespace {

struct BodyRow {
    const char* name;
    std::string body;
    const char* code;
};

std::ostream& operator<<(std::ostream& out, const BodyRow& row) { return out << row.name; }

constexpr const char* kJson = "invalid_json";
constexpr const char* kArgument = "invalid_argument";

class BadRefund : public GatewaySuite, public ::testing::WithParamInterface<BodyRow> {};

TEST_P(BadRefund, IsRefusedAndChangesNothing) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto before = payment(id).body;
    const Headers headers{{"Idempotency-Key", fresh("key")}, {"X-Fence-Token", own.token}};

    const auto refused = move("refunds", id, headers, GetParam().body);

    expect_problem(refused, 400, GetParam().code);
    EXPECT_EQ(payment(id).body, before);
    EXPECT_EQ(move("refunds", id, headers, R"({"amount":100})").status, 201)
        << "nor is anything remembered under the key";
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BadRefund,
    ::testing::Values(
        BodyRow{"Truncated", R"({"amount":100)", kJson},
        BodyRow{"TruncatedText", R"({"reason":"dam)", kJson},
        BodyRow{"TwoDocuments", R"({"amount":100}{"amount":100})", kJson},
        BodyRow{"Array", "[100]", kJson}, BodyRow{"Scalar", "100", kJson},
        BodyRow{"Null", "null", kJson}, BodyRow{"Blank", " ", kJson},
        BodyRow{"TrailingComma", R"({"amount":100,})", kJson},
        BodyRow{"Comment", R"({"amount":100/**/})", kJson},
        BodyRow{"SingleQuotes", "{'amount':100}", kJson},
        BodyRow{"Float", R"({"amount":100.0})", kJson},
        BodyRow{"Exponent", R"({"amount":1e2})", kJson},
        BodyRow{"NegativeZero", R"({"amount":-0})", kJson},
        BodyRow{"LeadingZero", R"({"amount":0100})", kJson},
        BodyRow{"Beyond64Bits", R"({"amount":18446744073709551716})", kJson},
        BodyRow{"Beyond128Digits", R"({"amount":1)" + std::string(128, '0') + "}", kJson},
        BodyRow{"UnknownMember", R"({"amount":100,"ammount":100})", kJson},
        BodyRow{"MemberInCapitals", R"({"Amount":100})", kJson},
        BodyRow{"DuplicateMember", R"({"amount":100,"amount":1})", kJson},
        BodyRow{"EscapedDuplicate", R"({"amount":100,"\u0061mount":1})", kJson},
        BodyRow{"BadUtf8", "{\"amount\":100,\"reason\":\"\xc3\x28\"}", kJson},
        BodyRow{"Surrogate", "{\"amount\":100,\"reason\":\"\xed\xa0\x80\"}", kJson},
        BodyRow{"LoneSurrogateEscape", R"({"amount":100,"reason":"\ud800"})", kJson},
        BodyRow{"NulEscape", R"({"amount":100,"reason":"\u0000"})", kJson},
        BodyRow{"RawControl", "{\"amount\":100,\"reason\":\"\x01\"}", kJson},
        BodyRow{"ByteOrderMark", "\xef\xbb\xbf{\"amount\":100}", kJson},
        BodyRow{"TooDeep", "{\"amount\":" + std::string(200, '[') + std::string(200, ']') + "}",
                kJson},
        BodyRow{"TextAmount", R"({"amount":"100"})", kArgument},
        BodyRow{"NullAmount", R"({"amount":null})", kArgument},
        BodyRow{"ObjectAmount", R"({"amount":{}})", kArgument},
        BodyRow{"ZeroAmount", R"({"amount":0})", kArgument},
        BodyRow{"NegativeAmount", R"({"amount":-100})", kArgument},
        BodyRow{"AmountOver2Power53", R"({"amount":9007199254740992})", kArgument},
        BodyRow{"NumericReason", R"({"amount":100,"reason":7})", kArgument},
        BodyRow{"LongReason", R"({"reason":")" + std::string(257, 'r') + "\"}", kArgument}),
    [](const auto& row) { return std::string(row.param.name); });

class BadCreate : public GatewaySuite, public ::testing::WithParamInterface<BodyRow> {};

TEST_P(BadCreate, IsRefusedAndCreatesNothing) {
    const auto id = fresh("pay");
    const auto body = R"({"id":")" + id + R"(",)" + GetParam().body + "}";

    const auto refused =
        client.request("POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}}, body);

    expect_problem(refused, 400, GetParam().code);
    expect_problem(payment(id), 404, "payment_not_found");
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BadCreate,
    ::testing::Values(
        BodyRow{"NoAmount", R"("currency":"EUR")", kArgument},
        BodyRow{"NoCurrency", R"("amount":1)", kArgument},
        BodyRow{"SmallCurrency", R"("amount":1,"currency":"eur")", kArgument},
        BodyRow{"UnknownCurrency", R"("amount":1,"currency":"EUX")", kArgument},
        BodyRow{"LongCurrency", R"("amount":1,"currency":"EURO")", kArgument},
        BodyRow{"NegativeAmount", R"("amount":-1,"currency":"EUR")", kArgument},
        BodyRow{"AmountOver2Power53", R"("amount":9007199254740992,"currency":"EUR")", kArgument},
        BodyRow{"AmountOf13Digits", R"("amount":1000000000000,"currency":"EUR")", kArgument},
        BodyRow{"TextCapture", R"("amount":1,"currency":"EUR","capture":"no")", kArgument},
        BodyRow{"ArrayMetadata", R"("amount":1,"currency":"EUR","metadata":[])", kArgument},
        BodyRow{"FloatInMetadata", R"("amount":1,"currency":"EUR","metadata":{"a":1.5})", kJson},
        BodyRow{"DuplicateInMetadata", R"("amount":1,"currency":"EUR","metadata":{"a":1,"a":2})",
                kJson},
        BodyRow{"SecondId", R"("amount":1,"currency":"EUR","id":"other")", kJson}),
    [](const auto& row) { return std::string(row.param.name); });

class BadInput : public GatewaySuite {};

TEST_F(BadInput, PaymentIdsThatAreNoSegmentAreRefused) {
    for (const auto& id : {std::string("a/b"), std::string("."), std::string(".."),
                           std::string("a b"), std::string(""), std::string(65, 'p')}) {
        expect_problem(client.request("POST", "/v1/payments", {{"Idempotency-Key", fresh("key")}},
                                      R"({"id":")" + id + R"(","amount":1,"currency":"EUR"})"),
                       400, "invalid_argument");
    }
    expect_problem(payment("a@b"), 404, "payment_not_found");
}

TEST_F(BadInput, ABodyOfAnotherTypeIsUnsupported) {
    const auto name = fresh("lock");
    for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                             "application/json; charset=latin1"}) {
        expect_problem(acquire(name, "{}", {{"Content-Type", type}}), 415,
                       "unsupported_media_type");
    }
    client.send_raw("POST /v1/locks/" + name + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " +
                    gateway().api_key() + "\r\nContent-Length: 2\r\n\r\n{}");
    expect_problem(client.read_response(), 415, "unsupported_media_type");

    EXPECT_EQ(lock(name).json_text("state"), "free");
    EXPECT_EQ(acquire(name, "{}", {{"Content-Type", "Application/JSON; charset=UTF-8"}}).status,
              201);
}

struct NameRow {
    const char* name;
    std::string path;
};

std::ostream& operator<<(std::ostream& out, const NameRow& row) { return out << row.name; }

class BadLockName : public GatewaySuite, public ::testing::WithParamInterface<NameRow> {};

// Nothing is decoded or tidied up: a name that two readers could read differently guards nothing.
TEST_P(BadLockName, IsRefusedAndNotNormalised) {
    for (const char* method : {"POST", "GET"}) {
        const auto refused = client.request(method, "/v1/locks/" + GetParam().path);

        expect_problem(refused, 400, "invalid_lock_name");
    }
    EXPECT_EQ(lock("a/b").json_text("state"), "free");
    EXPECT_EQ(lock("b").json_text("state"), "free");
}

INSTANTIATE_TEST_SUITE_P(
    Contract, BadLockName,
    ::testing::Values(NameRow{"EncodedSlash", "a%2Fb"}, NameRow{"EncodedSmallSlash", "a%2fb"},
                      NameRow{"EncodedLetter", "%61/b"}, NameRow{"EncodedDots", "a/%2e%2e/b"},
                      NameRow{"EncodedNul", "a/b%00"}, NameRow{"EncodedBackslash", "a%5Cb"},
                      NameRow{"Dot", "a/./b"}, NameRow{"DotDot", "a/../b"},
                      NameRow{"DotAtFront", "./b"}, NameRow{"DoubleSlash", "a//b"},
                      NameRow{"SlashAtFront", "/b"}, NameRow{"TrailingSlash", "a/b/"},
                      NameRow{"Nothing", ""}, NameRow{"Backslash", "a\\b"}, NameRow{"At", "a@b"},
                      NameRow{"Plus", "a+b"}, NameRow{"Semicolon", "a/b;v=1"},
                      NameRow{"LongSegment", std::string(65, 's')},
                      NameRow{"LongName", std::string(64, 's') + "/" + std::string(64, 't')}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(BadInput, LockNamesAreTakenUpToTheirLimits) {
    for (const auto& name : {std::string(64, 's') + "/" + std::string(63, 't'),
                             std::string("A-z_0.9~:x/..."), std::string("a/renew")}) {
        EXPECT_EQ(acquire(name).status, 201) << name;
    }
}

}  // namespace
}  // namespace fencegate::contract
