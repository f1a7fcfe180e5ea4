#pragma once
// GatewaySuite: what a test of the contract stands on. One real gateway a suite, spoken to over
// TLS, and the calls that most tests make before the one they are about.
//
// Owns: the gateway of the suite, its configuration file, names nobody else uses. Refuses to own:
// judgement of answers; that is for the tests and their matchers.
// Thread rule: one thread. Errors: std::runtime_error where a step that a test only builds on
// fails.

#include "tests/support/api_calls.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/reply_matcher.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::contract {

using testing::await;
using testing::Deadline;
using testing::filled;
using testing::GatewayOptions;
using testing::GatewayProcess;
using testing::Headers;
using testing::HttpsClient;
using testing::Is;
using testing::Refused;
using testing::request_text;
using testing::Response;
using testing::Says;

using Texts = std::vector<std::string>;

struct Grant {
    std::string lock;
    std::string lease_id;
    std::string token;
};

class GatewaySuite : public ::testing::Test {
protected:
    static void SetUpTestSuite() { start(); }
    static void TearDownTestSuite() { stop(); }
    // With the text of a configuration file; a suite that needs one has its own SetUpTestSuite().
    static void start(std::string_view configuration = {});
    static void stop();
    [[nodiscard]] static GatewayProcess& gateway();
    // Of the gateway, for `client` too.
    void restart();
    // Another principal of that name, with these rights.
    [[nodiscard]] static HttpsClient as(std::string_view principal, const Texts& scopes = {"*"});

    // "prefix-7": no other test of this program uses it.
    [[nodiscard]] static std::string fresh(std::string_view prefix);

    // An acquire with the members in `body`, answered or refused.
    Response acquire(std::string_view lock, std::string_view body = {},
                     const Headers& headers = {});
    // Granted, or it throws.
    Grant grant(std::string_view lock, std::int64_t ttl_ms = 60'000);
    static Grant grant_of(const Response& granted);
    // One lease over all of them, with `more` members: R"(,"ttl_ms":100)".
    Response acquire_all(const Texts& locks, std::string_view more = {},
                         const Headers& headers = {});
    // Sent by a client of its own, which has yet to read the answer.
    static HttpsClient begin(std::string_view method, std::string_view target,
                             std::string_view body = {}, const Headers& headers = {});
    // An acquire that now waits for the lock, as the `place`th in its line.
    HttpsClient stand_in_line(std::string_view lock, std::int64_t place,
                              std::string_view body = R"({"wait_ms":60000,"ttl_ms":60000})");
    Grant grant_payment(std::string_view payment) {
        return grant("payments/" + std::string(payment));
    }
    void release(const Grant& grant);
    Response renew(const Grant& grant, std::string_view body = {});
    void break_lock(const Grant& grant);
    // Until the gateway says so. REQUIRES: nobody else waits for the lock.
    void await_end(const Grant& grant, std::string_view state);
    void await_waiters(std::string_view lock, std::int64_t count);
    Response lock(std::string_view name);
    Response lease(const Grant& grant);
    std::string state_of(std::string_view name) { return lock(name).json_text("state"); }
    std::string state_of(const Grant& grant) { return lease(grant).json_text("state"); }
    Response get(std::string_view target) { return client.request("GET", target); }
    Response post(std::string_view target, std::string_view body = {},
                  const Headers& headers = {}) {
        return client.request("POST", target, headers, body);
    }
    Response put(std::string_view target, std::string_view body, const Headers& headers = {}) {
        return client.request("PUT", target, headers, body);
    }
    Response remove(std::string_view target, const Headers& headers = {},
                    std::string_view body = {}) {
        return client.request("DELETE", target, headers, body);
    }

    // Of EUR 10.00, captured unless told otherwise. Returns its id.
    std::string create_payment(bool capture = true);
    Response payment(std::string_view id);
    std::int64_t refunded(std::string_view id) { return payment(id).json_int("amount_refunded"); }
    // POST /v1/payments/{id}/{action} under a token, "" for none, with a key of its own.
    Response move(std::string_view action, std::string_view id, std::string_view token,
                  std::string_view body = {});
    Response move(std::string_view action, std::string_view id, const Headers& headers,
                  std::string_view body = {});
    Response refund(std::string_view id, std::string_view token, std::int64_t amount);

    // The line of the access log that tells of this answer, as soon as it is written.
    static Response logged(const Response& answer);

    // The header that fences a write, and one with a key of its own.
    static Headers fence(std::string_view token) { return {{"X-Fence-Token", std::string(token)}}; }
    static Headers fenced(std::string_view token, std::string_view key = fresh("key")) {
        return {{"Idempotency-Key", std::string(key)}, {"X-Fence-Token", std::string(token)}};
    }

    HttpsClient client = gateway().client();
};

// What a grant says: these members, and who it is in its headers.
template <typename... Values>
[[nodiscard]] testing::ReplyMatcher Granted(  // NOLINT(readability-identifier-naming)
    const Response& granted, std::string_view members = {}, const Values&... values) {
    return Is(201, members, values...)
        .with("Location", "/v1/leases/" + granted.json_text("lease_id"))
        .with("X-Fence-Token", std::to_string(granted.json_int("fencing_token")));
}

// A captured payment and the grant that guards it.
class PaymentSuite : public GatewaySuite {
protected:
    const std::string id = create_payment();
    const Grant own = grant_payment(id);
};

// The body of an acquire of all these locks, with `more` members.
[[nodiscard]] std::string names_body(const Texts& locks, std::string_view more = {});

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace fencegate::contract
