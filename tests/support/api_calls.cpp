#include "tests/support/api_calls.hpp"

#include "tests/support/reply_matcher.hpp"

#include <stdexcept>

namespace fencegate::testing {
namespace {

std::string path_of(std::string_view payment, std::string_view rest = {}) {
    return std::string("/v1/payments/").append(payment).append(rest);
}

std::string amount_body(std::int64_t amount_minor) {
    return filled(R"({"amount":$})", amount_minor);
}

}  // namespace

Response create_payment(HttpsClient& client, std::string_view id, std::int64_t amount_minor) {
    return client.request("POST", "/v1/payments", {{"Idempotency-Key", filled("create-$", id)}},
                          filled(R"({"id":"$","amount":$,"currency":"EUR"})", id, amount_minor));
}

Response acquire(HttpsClient& client, std::string_view payment, const AcquireCall& call) {
    Headers headers;
    if (!call.key.empty()) headers.emplace_back("Idempotency-Key", call.key);
    return client.request(
        "POST", std::string("/v1/locks/payments/").append(payment), headers,
        filled(R"({"ttl_ms":$,"wait_ms":$,"owner":"$"})", call.ttl_ms, call.wait_ms, call.owner));
}

Response release(HttpsClient& client, std::string_view lease_id) {
    return client.request("DELETE", std::string("/v1/leases/").append(lease_id));
}

Response refund(HttpsClient& client, std::string_view payment, const RefundCall& call) {
    return client.request("POST", path_of(payment, "/refunds"),
                          {{"X-Fence-Token", call.token}, {"Idempotency-Key", call.key}},
                          amount_body(call.amount_minor));
}

std::string refund_request(const GatewayProcess& gateway, std::string_view payment,
                           const RefundCall& call) {
    return request_text(gateway, "POST", path_of(payment, "/refunds"),
                        {{"X-Fence-Token", call.token}, {"Idempotency-Key", call.key}},
                        amount_body(call.amount_minor));
}

std::vector<RefundEntry> refunds_of(HttpsClient& client, std::string_view payment) {
    std::vector<RefundEntry> entries;
    auto target = path_of(payment, "/refunds?limit=100");
    for (;;) {
        const auto page = client.request("GET", target);
        for (std::size_t at = 0; at < page.json_size("data"); ++at) {
            const auto item = "/data/" + std::to_string(at);
            entries.push_back({.id = page.json_text(item + "/id"),
                               .amount_minor = page.json_int(item + "/amount"),
                               .token = page.json_int(item + "/fencing_token")});
        }
        if (!page.json_bool("has_more")) return entries;
        target = path_of(payment, "/refunds?limit=100&cursor=" + page.json_text("next_cursor"));
    }
}

std::int64_t amount_refunded(HttpsClient& client, std::string_view payment) {
    return client.request("GET", path_of(payment)).json_int("amount_refunded");
}

std::string request_text(const GatewayProcess& gateway, std::string_view method,
                         std::string_view target, const Headers& headers, std::string_view body) {
    auto text = filled("$ $ HTTP/1.1\r\nHost: localhost\r\n", method, target);
    bool has_key = false;
    for (const auto& [name, value] : headers) {
        has_key = has_key || name == "Authorization";
        text += filled("$: $\r\n", name, value);
    }
    if (!has_key) text += filled("Authorization: Bearer $\r\n", gateway.api_key());
    if (!body.empty())
        text += filled("Content-Type: application/json\r\nContent-Length: $\r\n", body.size());
    return filled("$\r\n$", text, body);
}

HttpsClient begin(const GatewayProcess& gateway, std::string_view method, std::string_view target,
                  std::string_view body, const Headers& headers) {
    auto asking = gateway.client();
    asking.send_raw(request_text(gateway, method, target, headers, body));
    return asking;
}

void await_waiters(HttpsClient& client, std::string_view lock, std::int64_t count) {
    const auto target = filled("/v1/locks/$", lock);
    await(filled("$ waiters for $", count, lock),
          [&] { return client.request("GET", target).json_int("waiters") == count; });
}

std::string metric(HttpsClient& admin, std::string_view series) {
    return metric_in(admin.request("GET", "/metrics").body, series);
}

std::string metric_in(std::string_view page, std::string_view series) {
    const auto text = filled("\n$", page);
    const auto start = filled("\n$ ", series);
    const auto at = text.find(start);
    if (at == std::string::npos) throw std::runtime_error("no metric " + std::string(series));
    const auto from = at + start.size();
    return text.substr(from, text.find('\n', from) - from);
}

}  // namespace fencegate::testing
