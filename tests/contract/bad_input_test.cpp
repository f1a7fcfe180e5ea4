// Bad input gets a clear error and changes nothing. What JSON, a path or a name may look like is
// told by the suites of their readers (JsonBody, Target, LockName); here is one row a kind.
#include "tests/contract/gateway_suite.hpp"

#include <vector>

namespace fencegate::contract {
namespace {

class BadInput : public GatewaySuite {};

TEST_F(BadInput, OfARefundIsRefusedAndChangesNothing) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto before = payment(id).body;
    const auto headers = fenced(own.token);
    const std::pair<const char*, Texts> rows[] = {
        {"invalid_json",
         {R"({"amount":100)", R"({"amount":100}{"amount":100})", "[100]", "null", " ",
          R"({"amount":100.0})", R"({"amount":18446744073709551616})",
          R"({"amount":100,"ammount":100})", R"({"amount":100,"amount":1})",
          "{\"amount\":100,\"reason\":\"\xc3\x28\"}", R"({"amount":100,"reason":"\u0000"})",
          filled(R"({"amount":$$})", std::string(200, '['), std::string(200, ']'))}},
        {"invalid_argument",
         {R"({"amount":"100"})", R"({"amount":null})", R"({"amount":{}})", R"({"amount":0})",
          R"({"amount":-100})", R"({"amount":9007199254740992})", R"({"amount":100,"reason":7})",
          filled(R"({"reason":"$"})", std::string(257, 'r'))}}};
    for (const auto& [code, bodies] : rows)
        for (const auto& body : bodies)
            EXPECT_THAT(move("refunds", id, headers, body), Refused(400, code)) << body;

    EXPECT_EQ(payment(id).body, before);
    EXPECT_THAT(move("refunds", id, headers, R"({"amount":100})"), Is(201))
        << "nor is anything remembered under the key";
}

TEST_F(BadInput, OfACreateIsRefusedAndCreatesNothing) {
    const auto id = fresh("pay");
    const auto create = [&](std::string_view members) {
        return post("/v1/payments", filled(R"({"id":"$",$})", id, members),
                    {{"Idempotency-Key", fresh("key")}});
    };
    for (const auto* members :
         {R"("currency":"EUR")", R"("amount":1)", R"("amount":1,"currency":"eur")",
          R"("amount":1,"currency":"EUX")", R"("amount":1,"currency":"EURO")",
          R"("amount":-1,"currency":"EUR")", R"("amount":9007199254740992,"currency":"EUR")",
          R"("amount":1000000000000,"currency":"EUR")",
          R"("amount":1,"currency":"EUR","capture":"no")",
          R"("amount":1,"currency":"EUR","metadata":[])"})
        EXPECT_THAT(create(members), Refused(400, "invalid_argument")) << members;
    for (const auto* members : {R"("amount":1,"currency":"EUR","metadata":{"a":1.5})",
                                R"("amount":1,"currency":"EUR","metadata":{"a":1,"a":2})",
                                R"("amount":1,"currency":"EUR","id":"other")"})
        EXPECT_THAT(create(members), Refused(400, "invalid_json")) << members;

    EXPECT_THAT(payment(id), Refused(404, "payment_not_found"));
}

TEST_F(BadInput, PaymentIdsThatAreNoSegmentAreRefused) {
    for (const auto& id : Texts{"a/b", ".", "..", "a b", "", std::string(65, 'p')})
        EXPECT_THAT(post("/v1/payments", filled(R"({"id":"$","amount":1,"currency":"EUR"})", id),
                         {{"Idempotency-Key", fresh("key")}}),
                    Refused(400, "invalid_argument"))
            << id;
    EXPECT_THAT(payment("a@b"), Refused(404, "payment_not_found"));
}

TEST_F(BadInput, ABodyOfAnotherTypeIsUnsupported) {
    const auto name = fresh("lock");
    for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "application/jsonp",
                             "application/json; charset=latin1"})
        EXPECT_THAT(acquire(name, "{}", {{"Content-Type", type}}),
                    Refused(415, "unsupported_media_type"))
            << type;
    client.send_raw(
        filled("POST /v1/locks/$ HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer $\r\n"
               "Content-Length: 2\r\n\r\n{}",
               name, gateway().api_key()));
    EXPECT_THAT(client.read_response(), Refused(415, "unsupported_media_type"));

    EXPECT_EQ(state_of(name), "free");
    EXPECT_THAT(acquire(name, "{}", {{"Content-Type", "Application/JSON; charset=UTF-8"}}),
                Is(201));
}

// Nothing is decoded or tidied up: a name that two readers could read differently guards nothing.
TEST_F(BadInput, LockNamesAreRefusedAndNotNormalised) {
    for (const auto& path : Texts{"a%2Fb", "a/../b", "a//b", "a/b/", "", "a\\b", "a@b", "a/b;v=1",
                                  std::string(65, 's')})
        for (const auto* method : {"POST", "GET"})
            EXPECT_THAT(client.request(method, "/v1/locks/" + path),
                        Refused(400, "invalid_lock_name"))
                << method << " " << path;
    EXPECT_EQ(state_of("a/b"), "free");
    EXPECT_EQ(state_of("b"), "free");
}

TEST_F(BadInput, LockNamesAreTakenUpToTheirLimits) {
    for (const auto& name :
         Texts{std::string(64, 's') + "/" + std::string(63, 't'), "A-z_0.9~:x/...", "a/renew"})
        EXPECT_THAT(acquire(name), Is(201)) << name;
}

// A misspelt filter must not be taken for none.
TEST_F(BadInput, QueriesAreRefusedByWhatTheyNameWrongly) {
    struct Rows {
        std::string path;
        Texts queries;
        const char* code = "invalid_argument";
    };
    const std::vector<Rows> rows = {
        {"/v1/locks",
         {"pefix=a", "state=resting", "state=", "limit=0", "limit=101", "limit=ten", "limit=-1"}},
        {"/v1/locks", {"prefix=a&prefix=b"}, "bad_request"},
        {"/v1/history", {"", "lock=a&before=7", "lock=a&cursor=x", "lock=a&limit=101"}},
        {"/v1/history", {"lock=a..b//c"}, "invalid_lock_name"},
        {"/v1/fence/verify", {"token=1", "lock=a&token=1&now=1"}},
        {"/v1/fence/verify", {"lock=a"}, "fence_token_malformed"},
        {"/v1/classes/payments/advice", {"since=1"}},
        {"/v1/runs/job", {"state=done"}},
        {"/v1/payments",
         {"limit=0", "limit=101", "cursor=7", "cursor=o", "cursor=o-1", "cursor=o07",
          "cursor=n9223372036854775807", "status=paid", "status=", "created_from=yesterday",
          "created_to=2026-11-23",
          "created_from=2026-01-02T00:00:00Z&created_to=2026-01-01T00:00:00Z",
          "reference=", "reference=a&cursor=o7", "principal=a", "colour=red"}},
        {"/v1/payments/" + create_payment() + "/refunds",
         {"limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "limit=99999999999999999999",
          "cursor=x", "cursor=-1"}},
        {"/v1/payments/p/refunds", {"limit=1&limit=2"}, "bad_request"},
        {"/v1/ledger/accounts", {"currency=eur", "limit=1"}},
        {"/v1/ledger/entries",
         {"account=cash", "currency=EURO", "from=now", "payment=", "cursor=x"}},
        {"/v1/ledger/statement",
         {"", "account=funds_held", "currency=EUR", "account=cash&currency=EUR",
          "account=funds_held&currency=EUR&format=pdf", "account=funds_held&currency=EUR&limit=1",
          "account=funds_held&currency=EUR&from=x"}},
        {"/v1/events",
         {"after=-1", "after=x", "limit=0", "consumer=a/b", "consumer=a&after=1", "cursor=o1"}},
        {"/v1/watch", {"lock=a&prefix=a", "prefix=a%20b", "prefix=/a"}},
        {"/v1/watch", {"lock=a//b"}, "invalid_lock_name"},
    };
    for (const auto& [path, queries, code] : rows)
        for (const auto& query : queries)
            EXPECT_THAT(get(path + (query.empty() ? "" : "?") + query), Refused(400, code))
                << path << " " << query;
}

}  // namespace
}  // namespace fencegate::contract
