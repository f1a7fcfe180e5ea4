#pragma once
// The few calls of the API that most process tests make, so that a scenario reads as its story.
// Owns: the JSON of requests. Refuses to own: judgement; every answer is handed back as it came.
// Thread rule: as the client's. Errors: as the client's.

#include "tests/support/gateway_process.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::testing {

// Captured at once, in EUR. Its Idempotency-Key is "create-" and the id.
Response create_payment(HttpsClient& client, std::string_view id, std::int64_t amount_minor);

struct AcquireCall {
    std::int64_t ttl_ms = 30'000;
    std::int64_t wait_ms = 0;
    std::string owner = "worker";
    std::string key{};  // an Idempotency-Key; empty: none
};
// The lock that guards the payment.
Response acquire(HttpsClient& client, std::string_view payment, const AcquireCall& call = {});
Response release(HttpsClient& client, std::string_view lease_id);

struct RefundCall {
    std::string token;
    std::string key;
    std::int64_t amount_minor = 100;
};
Response refund(HttpsClient& client, std::string_view payment, const RefundCall& call);
// The bytes of that request, for a test that sends them in its own time.
std::string refund_request(const GatewayProcess& gateway, std::string_view payment,
                           const RefundCall& call);

struct RefundEntry {
    std::string id;
    std::int64_t amount_minor = 0;
    std::int64_t token = 0;

    friend bool operator==(const RefundEntry&, const RefundEntry&) = default;
};
// All of them, however many pages they fill.
std::vector<RefundEntry> refunds_of(HttpsClient& client, std::string_view payment);
std::int64_t amount_refunded(HttpsClient& client, std::string_view payment);

// A request as bytes for send_raw(): with Host, the key of `gateway` unless `headers` bring
// another, and, for a body, its length.
[[nodiscard]] std::string request_text(const GatewayProcess& gateway, std::string_view method,
                                       std::string_view target, const Headers& headers = {},
                                       std::string_view body = {});
// Sent by a client of its own, which has yet to read the answer.
HttpsClient begin(const GatewayProcess& gateway, std::string_view method, std::string_view target,
                  std::string_view body = {}, const Headers& headers = {});
// Until so many wait for the lock.
void await_waiters(HttpsClient& client, std::string_view lock, std::int64_t count);

// Value of one series, e.g. `fencegate_draining`; throws if it is not there.
std::string metric(HttpsClient& admin, std::string_view series);
// In a page of metrics.
std::string metric_in(std::string_view page, std::string_view series);

}  // namespace fencegate::testing
