// The access log: a JSON line for every request, that tells an operator what happened and tells a
// thief of logs nothing.
#include "tests/contract/gateway_suite.hpp"

#include <sstream>

namespace fencegate::contract {
namespace {

class AccessLog : public GatewaySuite {
protected:
    // The line of an answer, as soon as it is written.
    Response line_of(const Response& answer) {
        const auto mark = R"("request_id":")" + answer.header("X-Request-Id") + "\"";
        Response line;
        EXPECT_TRUE(eventually("the line of " + answer.body, [&] {
            std::istringstream output(gateway().output());
            for (std::string text; std::getline(output, text);) {
                if (!contains(text, mark) || output.eof()) continue;
                line.body = text;
                return true;
            }
            return false;
        }));
        return line;
    }
};

TEST_F(AccessLog, HasALineForEveryRequest) {
    const auto name = fresh("lock");
    const auto granted = client.request(
        "POST", "/v1/locks/" + name,
        {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}, "{}");
    const auto refused = acquire(name);
    const auto health = gateway().admin_client().request("GET", "/healthz");

    const auto grant_line = line_of(granted);
    EXPECT_EQ(grant_line.json_text("listener"), "public");
    EXPECT_EQ(grant_line.json_text("method"), "POST");
    EXPECT_EQ(grant_line.json_text("route"), "/v1/locks/{name...}");
    EXPECT_EQ(grant_line.json_int("status"), 201);
    EXPECT_EQ(grant_line.json_text("peer"), "127.0.0.1");
    EXPECT_EQ(grant_line.json_text("trace_id"), "0af7651916cd43dd8448eb211c80319c");
    EXPECT_FALSE(grant_line.json_text("principal").empty());
    EXPECT_FALSE(grant_line.has("code"));
    EXPECT_GE(grant_line.json_int("micros"), 0);
    EXPECT_GT(grant_line.json_int("bytes_in"), 0);
    EXPECT_GT(grant_line.json_int("bytes_out"), 0);
    EXPECT_TRUE(grant_line.json_text("ts").ends_with('Z'));
    const auto refusal_line = line_of(refused);
    EXPECT_EQ(refusal_line.json_int("status"), 423);
    EXPECT_EQ(refusal_line.json_text("code"), "lock_held");
    EXPECT_EQ(line_of(health).json_text("listener"), "admin");
}

TEST_F(AccessLog, HasALineForRequestsThatWereNone) {
    client.send_raw("NONSENSE\r\n\r\n");
    const auto refused = client.read_response();
    auto nobody = gateway().client("");
    const auto unknown = nobody.request("GET", "/v1/locks/a");

    EXPECT_EQ(line_of(refused).json_text("code"), "bad_request");
    const auto line = line_of(unknown);
    EXPECT_EQ(line.json_text("code"), "unauthenticated");
    EXPECT_FALSE(line.has("principal"));
}

TEST_F(AccessLog, NeverHoldsWhatAThiefCouldUse) {
    const auto id = create_payment();
    const auto own = grant_payment(id);
    const auto idempotency_key = fresh("a-key-that-is-nobodys-business");
    const auto scoped = gateway().add_key("scoped", {"locks:read"});
    auto wrong = gateway().client("not-a-key-but-nearly");

    move("refunds", id, {{"Idempotency-Key", idempotency_key}, {"X-Fence-Token", own.token}},
         R"({"amount":1,"reason":"reason-of-a-customer"})");
    wrong.request("GET", "/v1/locks/a");
    client.send_raw("GET /v1/locks/a HTTP/1.1\r\nAuthorization: Bearer " + gateway().api_key() +
                    "\r\nHost: h\r\nHost: h\r\n\r\n");
    static_cast<void>(client.read_response());
    const auto last = client.request("GET", "/v1/payments/" + id + "/refunds?limit=77");

    EXPECT_FALSE(line_of(last).body.empty());
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
