#include "tests/support/api_calls.hpp"

#include <stdexcept>

namespace fencegate::testing {
namespace {

std::string path_of(std::string_view payment, std::string_view rest = {}) {
    return std::string("/v1/payments/").append(payment).append(rest);
}

std::string amount_body(std::int64_t amount_minor) {
    return R"({"amount":)" + std::to_string(amount_minor) + "}";
}

}  // namespace

Response create_payment(HttpsClient& client, std::string_view id, std::int64_t amount_minor) {
    const std::string name(id);
    return client.request("POST", "/v1/payments", {{"Idempotency-Key", "create-" + name}},
                          R"({"id":")" + name + R"(","amount":)" + std::to_string(amount_minor) +
                              R"(,"currency":"EUR"})");
}

Response acquire(HttpsClient& client, std::string_view payment, const AcquireCall& call) {
    Headers headers;
    if (!call.key.empty()) headers.emplace_back("Idempotency-Key", call.key);
    return client.request("POST", std::string("/v1/locks/payments/").append(payment), headers,
                          R"({"ttl_ms":)" + std::to_string(call.ttl_ms) + R"(,"wait_ms":)" +
                              std::to_string(call.wait_ms) + R"(,"owner":")" + call.owner +
                              R"("})");
}

Response release(HttpsClient& client, std::string_view lease_id) {
    return client.request("DELETE", std::string("/v1/leases/").append(lease_id));
}

Response refund(HttpsClient& client, std::string_view payment, const RefundCall& call) {
    return client.request("POST", path_of(payment, "/refunds"),
                          {{"X-Fence-Token", call.token}, {"Idempotency-Key", call.key}},
                          amount_body(call.amount_minor));
}

std::string refund_request(const HttpsClient::Options& gateway, std::string_view payment,
                           const RefundCall& call) {
    const auto body = amount_body(call.amount_minor);
    return "POST " + path_of(payment, "/refunds") + " HTTP/1.1\r\nHost: " + gateway.host +
           "\r\nAuthorization: Bearer " + gateway.api_key + "\r\nX-Fence-Token: " + call.token +
           "\r\nIdempotency-Key: " + call.key +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
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

std::string metric(HttpsClient& admin, std::string_view series) {
    const auto page = "\n" + admin.request("GET", "/metrics").body;
    const auto start = "\n" + std::string(series) + " ";
    const auto at = page.find(start);
    if (at == std::string::npos) throw std::runtime_error("no metric " + std::string(series));
    const auto from = at + start.size();
    return page.substr(from, page.find('\n', from) - from);
}

}  // namespace fencegate::testing
