#pragma once
// GatewaySuite: what a test of the contract stands on. One real gateway a suite, spoken to over
// TLS, and the calls that most tests make before the one they are about.
//
// Owns: the gateway of the suite, its configuration file, names nobody else uses. Refuses to own:
// judgement of answers; that is for the tests and expect_problem().
// Thread rule: one thread. Errors: std::runtime_error where a step that a test only builds on
// fails.

#include "tests/support/gateway_process.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace fencegate::contract {

using testing::Deadline;
using testing::GatewayOptions;
using testing::GatewayProcess;
using testing::Headers;
using testing::HttpsClient;
using testing::Response;

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

    // "prefix-7": no other test of this program uses it.
    [[nodiscard]] static std::string fresh(std::string_view prefix);

    // An acquire with the members in `body`, answered or refused.
    Response acquire(std::string_view lock, std::string_view body = {},
                     const Headers& headers = {});
    // Granted, or it throws.
    Grant grant(std::string_view lock, std::int64_t ttl_ms = 60'000);
    static Grant grant_of(const Response& granted);
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
    Response get(std::string_view target) { return client.request("GET", target); }

    // Of EUR 10.00, captured unless told otherwise. Returns its id.
    std::string create_payment(bool capture = true);
    Response payment(std::string_view id);
    // POST /v1/payments/{id}/{action} under a token, "" for none, with a key of its own.
    Response move(std::string_view action, std::string_view id, std::string_view token,
                  std::string_view body = {});
    Response move(std::string_view action, std::string_view id, const Headers& headers,
                  std::string_view body = {});
    Response refund(std::string_view id, std::string_view token, std::int64_t amount);

    HttpsClient client = gateway().client();
};

// A request as bytes for send_raw(): with Host, the key of `gateway` unless `headers` bring
// another, and, for a body, its length.
[[nodiscard]] std::string request_text(const GatewayProcess& gateway, std::string_view method,
                                       std::string_view target, const Headers& headers = {},
                                       std::string_view body = {});

// A problem document with everything the contract promises of every one, and this code.
void expect_problem(const Response& response, int status, std::string_view code);

// Asks again until it is so; fails the test, and returns false, when it never is.
[[nodiscard]] bool eventually(std::string_view what, const std::function<bool()>& is_so);

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace fencegate::contract
