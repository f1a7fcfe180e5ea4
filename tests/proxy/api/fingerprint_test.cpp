// The fingerprint of a request under a key: one for all spellings of it, from the bytes on.
#include "proxy/api/routes.hpp"
#include "storage/model/operation.hpp"
#include "tests/proxy/http/request_heads.hpp"
#include "tests/support/fresh_seed.hpp"
#include "tests/support/seeded_random.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace fencegate::proxy {
namespace {

using testing::SeededRandom;

const lockmgr::LockClasses kClasses({{.name = "payments", .ttl_default = Duration(5'000)}});

struct Asked {
    std::string method = "POST";
    std::string target;
    std::string body{};
    std::string principal = "shop";
};

storage::Idempotency key_of(const Asked& asked) {
    RequestHead head{};
    head.method = asked.method;
    head.target = asked.target;
    head.idempotency_key = "k";
    head.if_fence_token = "7";
    const auto target = parse_target(asked.target);
    EXPECT_TRUE(target) << asked.target;
    const auto match = api_routes().match(asked.method, *target);
    EXPECT_TRUE(match) << asked.target;
    const RouteRequest request{.head = head,
                               .target = *target,
                               .parameters = match->parameters,
                               .body = asked.body,
                               .principal = asked.principal,
                               .limits = {.wait_max = Duration(60'000)}};
    const auto built = match->route->build(request);
    EXPECT_TRUE(built) << asked.body << ": " << built.error().detail;
    return make_idempotency(request, "k", std::get<storage::Operation>(*built), kClasses);
}

// A value, and ways to spell it differently at random.
struct Json {
    enum class Kind : std::uint8_t { Text, Raw, Object, List };
    Kind kind = Kind::Raw;
    std::string text;  // Text, Raw
    std::vector<std::pair<std::string, Json>> members{};
};

Json raw(std::string text) { return {Json::Kind::Raw, std::move(text)}; }
Json text(std::string text) { return {Json::Kind::Text, std::move(text)}; }
Json object(std::vector<std::pair<std::string, Json>> members) {
    return {Json::Kind::Object, {}, std::move(members)};
}
Json list(std::vector<std::pair<std::string, Json>> items) {
    return {Json::Kind::List, {}, std::move(items)};
}

class Speller {
public:
    explicit Speller(std::uint64_t seed) : random_(seed) {}

    std::string spell(const Json& json) {
        out_ = blank();
        write(json);
        return out_ + blank();
    }

private:
    std::string blank() {
        static constexpr const char* kBlanks[] = {"", "", "", " ", "\n", "\t  ", "\r\n"};
        return kBlanks[random_.below(std::size(kBlanks))];
    }
    void quoted(const std::string& of) {
        static constexpr const char* kHex[] = {"0123456789abcdef", "0123456789ABCDEF"};
        out_ += '"';
        for (const char byte : of) {
            const auto code = static_cast<unsigned char>(byte);
            if (byte == '"' || byte == '\\') out_ += '\\';
            if (code < 0x80 && byte != '"' && byte != '\\' && random_.below(4) == 0) {
                const auto* hex = kHex[random_.below(2)];
                out_ += std::string("\\u00") + hex[code >> 4] + hex[code & 15];
            } else if (byte == '/' && random_.below(2) == 0) {
                out_ += "\\/";
            } else {
                out_ += byte;
            }
        }
        out_ += '"';
    }
    void write(const Json& json) {
        if (json.kind == Json::Kind::Raw) {
            out_ += json.text;
            return;
        }
        if (json.kind == Json::Kind::Text) return quoted(json.text);
        const bool is_object = json.kind == Json::Kind::Object;
        auto members = json.members;
        for (auto at = members.size(); is_object && at > 1; --at)
            std::swap(members[at - 1], members[random_.below(at)]);
        out_ += is_object ? "{" : "[";
        bool is_first = true;
        for (const auto& [name, value] : members) {
            if (!std::exchange(is_first, false)) out_ += ",";
            out_ += blank();
            if (is_object) {
                quoted(name);
                out_ += blank() + ":" + blank();
            }
            write(value);
            out_ += blank();
        }
        out_ += is_object ? "}" : "]";
    }

    SeededRandom random_;
    std::string out_;
};

Json nested() {
    return object(
        {{"a/b", raw("1")},
         {"z", object({{"y", raw("null")}, {"x", text("a \"quoted\\ text")}})},
         {"l", list({{"", raw("3")}, {"", object({{"q", raw("true")}, {"p", raw("-4")}})}})}});
}

struct BodyRow {
    const char* target;
    Json body;
};

std::vector<BodyRow> bodies() {
    return {
        {"/v1/payments", object({{"amount", raw("500")},
                                 {"currency", text("EUR")},
                                 {"reference", text("order/1")},
                                 {"metadata", object({{"b", text("x")}, {"a", raw("1")}})}})},
        {"/v1/payments/pay_1/refunds",
         object({{"amount", raw("5")}, {"reason", text("d\xc3\xa9")}})},
        {"/v1/locks/payments/pay_1",
         object({{"owner", text("w")}, {"ttl_ms", raw("7000")}, {"metadata", nested()}})},
        {"/v1/elections/e", object({{"owner", text("w")}, {"value", nested()}})},
        {"/v1/runs/j/2026-01-01T00:00:00Z/done", object({{"result", text("fine / \"well\"")}})},
    };
}

TEST(Fingerprint, IsOneForAllSpellingsOfARequest) {
    const auto seed = testing::fresh_seed("FENCEGATE_FINGERPRINT_SEED");
    SCOPED_TRACE(seed);
    Speller speller(seed);
    for (const auto& row : bodies()) {
        const auto first = key_of({.target = row.target, .body = speller.spell(row.body)});
        for (int round = 0; round < 200; ++round) {
            const auto body = speller.spell(row.body);
            EXPECT_EQ(key_of({.target = row.target, .body = body}).fingerprint, first.fingerprint)
                << body;
        }
    }
}

struct PairRow {
    const char* name;
    Asked one;
    Asked other;
};

TEST(Fingerprint, DoesNotCountWhatIsLeftOut) {
    const std::string refunds = "/v1/payments/pay_1/refunds";
    const std::string create = R"({"amount":5,"currency":"EUR")";
    const PairRow rows[] = {
        {"no body", {.target = refunds, .body = ""}, {.target = refunds, .body = "{}"}},
        {"reason",
         {.target = refunds, .body = "{}"},
         {.target = refunds, .body = R"({"reason":""})"}},
        {"capture",
         {.target = "/v1/payments", .body = create + "}"},
         {.target = "/v1/payments", .body = create + R"(,"capture":true})"}},
        {"metadata",
         {.target = "/v1/payments", .body = create + "}"},
         {.target = "/v1/payments", .body = create + R"(,"metadata":{ }})"}},
        {"mode, wait and ttl",
         {.target = "/v1/locks/payments/a", .body = R"({"owner":"w"})"},
         {.target = "/v1/locks/payments/a",
          .body = R"({"mode":"exclusive","wait_ms":0,"owner":"w","ttl_ms":5000})"}},
        {"mode of a semaphore",
         {.target = "/v1/locks/a", .body = R"({"permits":3})"},
         {.target = "/v1/locks/a", .body = R"({"mode":"semaphore","permits":3})"}},
        {"order of locks",
         {.target = "/v1/leases", .body = R"({"locks":["b","a"]})"},
         {.target = "/v1/leases", .body = R"({"locks":["a","b"]})"}},
        {"order and escapes of the query",
         {.target = refunds + "?a=1&b=%41"},
         {.target = refunds + "?b=A&a=1"}},
    };
    for (const auto& row : rows)
        EXPECT_EQ(key_of(row.one).fingerprint, key_of(row.other).fingerprint) << row.name;
}

TEST(Fingerprint, CountsMethodPathQueryAndPrincipal) {
    const Asked base{.target = "/v1/payments/pay_1/refunds", .body = R"({"amount":5})"};
    auto principal = base;
    principal.principal = "another";
    auto query = base;
    query.target += "?a=1";
    auto path = base;
    path.target = "/v1/payments/pay_1/captures";
    for (const auto& other : {principal, query, path})
        EXPECT_NE(key_of(other).fingerprint, key_of(base).fingerprint) << other.target;
    EXPECT_NE(key_of({.method = "DELETE", .target = "/v1/locks/a", .body = R"({"reason":"x"})"})
                  .fingerprint,
              key_of({.target = "/v1/locks/a"}).fingerprint);
}

TEST(Fingerprint, OfBeforeIsOfTheBytes) {
    const Asked base{.target = "/v1/payments/pay_1/refunds", .body = R"({"amount":5})"};
    auto spaced = base;
    spaced.body = R"({"amount": 5})";

    EXPECT_NE(key_of(spaced).raw_fingerprint, key_of(base).raw_fingerprint);
    EXPECT_EQ(key_of(spaced).fingerprint, key_of(base).fingerprint);
}

}  // namespace
}  // namespace fencegate::proxy
