// The access log: a JSON line for every request, that tells an operator what happened and tells a
// thief of logs nothing.
#include "tests/contract/gateway_suite.hpp"

#include <sstream>

namespace fencegate::contract {
namespace {

class AccessLog : public GatewaySuite {};

TEST_F(AccessLog, HasALineForEveryRequest) {
    const auto name = fresh("lock");
    const auto granted = acquire(
        name, "{}", {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}});

    EXPECT_THAT(logged(granted),
                Says(R"({"listener":"public","method":"POST","route":"/v1/locks/{name...}",)"
                     R"("status":201,"peer":"127.0.0.1","principal":"<text>","code":"<absent>",)"
                     R"("trace_id":"0af7651916cd43dd8448eb211c80319c","micros":"<0..>",)"
                     R"("bytes_in":"<1..>","bytes_out":"<1..>","ts":"<time>"})"));
    EXPECT_THAT(logged(acquire(name)), Says(R"({"status":423,"code":"lock_held"})"));
    EXPECT_THAT(logged(gateway().admin_client().request("GET", "/healthz")),
                Says(R"({"listener":"admin"})"));
}

TEST_F(AccessLog, HasALineForRequestsThatWereNone) {
    client.send_raw("NONSENSE\r\n\r\n");

    EXPECT_THAT(logged(client.read_response()), Says(R"({"code":"bad_request"})"));
    EXPECT_THAT(logged(gateway().client("").request("GET", "/v1/locks/a")),
                Says(R"({"code":"unauthenticated","principal":"<absent>"})"));
}

TEST_F(AccessLog, NeverHoldsWhatAThiefCouldUse) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto idempotency_key = fresh("a-key-that-is-nobodys-business");
    const auto scoped = gateway().add_key("scoped", {"locks:read"});

    move("refunds", id, fenced(own.token, idempotency_key),
         R"({"amount":1,"reason":"reason-of-a-customer"})");
    gateway().client("not-a-key-but-nearly").request("GET", "/v1/locks/a");
    client.send_raw(
        filled("GET /v1/locks/a HTTP/1.1\r\nAuthorization: Bearer $\r\nHost: h\r\nHost: h\r\n\r\n",
               gateway().api_key()));
    static_cast<void>(client.read_response());
    const auto last = get("/v1/payments/" + id + "/refunds?limit=77");

    EXPECT_FALSE(logged(last).body.empty());
    // The first start shows the first key on the terminal, once; lines of the log start with {.
    std::istringstream output(gateway().output());
    for (std::string line; std::getline(output, line);) {
        if (!line.starts_with('{')) continue;
        for (const auto& secret : {gateway().api_key(), scoped, idempotency_key,
                                   std::string("Bearer"), std::string("not-a-key-but-nearly"),
                                   std::string("reason-of-a-customer"), std::string("limit=77")}) {
            EXPECT_FALSE(contains(line, secret)) << line;
        }
    }
}

class LogFile : public GatewaySuite {
protected:
    static void SetUpTestSuite() { start("access_log = \"off\"\n"); }
};

TEST_F(LogFile, IsOffWhenSwitchedOff) {
    const auto answer = lock("a");
    client.close();
    gateway().stop();

    EXPECT_FALSE(contains(gateway().output(), answer.header("X-Request-Id")));
    gateway().start();
}

}  // namespace
}  // namespace fencegate::contract
