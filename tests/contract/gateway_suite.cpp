#include "tests/contract/gateway_suite.hpp"

#include <memory>
#include <sstream>
#include <stdexcept>

namespace fencegate::contract {
namespace {

// The gateway of the suite that runs now; suites come one after the other.
std::unique_ptr<GatewayProcess> running_gateway;

void require(const Response& response, int status, std::string_view step) {
    if (response.status == status) return;
    throw std::runtime_error("cannot " + std::string(step) + ": " +
                             std::to_string(response.status) + " " + response.body);
}

}  // namespace

void GatewaySuite::start(std::string_view configuration) {
    running_gateway = std::make_unique<GatewayProcess>(
        GatewayOptions{.configuration = std::string(configuration)});
}

void GatewaySuite::stop() { running_gateway.reset(); }

GatewayProcess& GatewaySuite::gateway() { return *running_gateway; }

void GatewaySuite::restart() {
    client.close();
    gateway().restart();
    client = gateway().client();
}

HttpsClient GatewaySuite::as(std::string_view principal, const std::vector<std::string>& scopes) {
    return gateway().client(gateway().add_key(principal, scopes));
}

std::string GatewaySuite::fresh(std::string_view prefix) {
    static int count = 0;
    return std::string(prefix) + "-" + std::to_string(++count);
}

Response GatewaySuite::acquire(std::string_view lock, std::string_view body,
                               const Headers& headers) {
    return client.request("POST", "/v1/locks/" + std::string(lock), headers, body);
}

Grant GatewaySuite::grant(std::string_view lock, std::int64_t ttl_ms) {
    return grant_of(acquire(lock, filled(R"({"ttl_ms":$})", ttl_ms)));
}

Grant GatewaySuite::grant_of(const Response& granted) {
    require(granted, 201, "acquire");
    return {granted.json_text("/locks/0"), granted.json_text("lease_id"),
            granted.header("X-Fence-Token")};
}

Response GatewaySuite::acquire_all(const std::vector<std::string>& locks, std::string_view more,
                                   const Headers& headers) {
    return post("/v1/leases", names_body(locks, more), headers);
}

HttpsClient GatewaySuite::begin(std::string_view method, std::string_view target,
                                std::string_view body, const Headers& headers) {
    return testing::begin(gateway(), method, target, body, headers);
}

HttpsClient GatewaySuite::stand_in_line(std::string_view lock, std::int64_t place,
                                        std::string_view body) {
    auto waiting = begin("POST", "/v1/locks/" + std::string(lock), body);
    await_waiters(lock, place);
    return waiting;
}

void GatewaySuite::release(const Grant& grant) {
    require(client.request("DELETE", "/v1/leases/" + grant.lease_id), 204, "release");
}

Response GatewaySuite::renew(const Grant& grant, std::string_view body) {
    return client.request("POST", "/v1/leases/" + grant.lease_id + "/renew", {}, body);
}

void GatewaySuite::break_lock(const Grant& grant) {
    const auto broken =
        client.request("DELETE", "/v1/locks/" + grant.lock, {{"If-Fence-Token", grant.token}},
                       R"({"reason":"a test says so"})");
    require(broken, 200, "break the lock");
}

void GatewaySuite::await_end(const Grant& grant, std::string_view state) {
    await("lease " + std::string(state), [&] { return lease(grant).json_text("state") == state; });
}

void GatewaySuite::await_waiters(std::string_view name, std::int64_t count) {
    testing::await_waiters(client, name, count);
}

Response GatewaySuite::lock(std::string_view name) {
    return client.request("GET", "/v1/locks/" + std::string(name));
}

Response GatewaySuite::lease(const Grant& grant) {
    return client.request("GET", "/v1/leases/" + grant.lease_id);
}

std::string GatewaySuite::create_payment(bool capture) {
    auto id = fresh("pay");
    const auto created =
        post("/v1/payments",
             filled(R"({"id":"$","amount":1000,"currency":"EUR","capture":$})", id, capture),
             {{"Idempotency-Key", "create-" + id}});
    require(created, 201, "create a payment");
    return id;
}

Response GatewaySuite::payment(std::string_view id) {
    return client.request("GET", "/v1/payments/" + std::string(id));
}

Response GatewaySuite::move(std::string_view action, std::string_view id, std::string_view token,
                            std::string_view body) {
    Headers headers{{"Idempotency-Key", fresh("key")}};
    if (!token.empty()) headers.emplace_back("X-Fence-Token", token);
    return move(action, id, headers, body);
}

Response GatewaySuite::move(std::string_view action, std::string_view id, const Headers& headers,
                            std::string_view body) {
    const auto target = "/v1/payments/" + std::string(id) + "/" + std::string(action);
    return client.request("POST", target, headers, body);
}

Response GatewaySuite::refund(std::string_view id, std::string_view token, std::int64_t amount) {
    return move("refunds", id, token, filled(R"({"amount":$})", amount));
}

Response GatewaySuite::logged(const Response& answer) {
    const auto mark = filled(R"("request_id":"$")", answer.header("X-Request-Id"));
    Response line;
    await("the line of " + answer.body, [&] {
        std::istringstream output(gateway().output());
        while (std::getline(output, line.body))
            if (contains(line.body, mark) && !output.eof()) return true;
        return false;
    });
    return line;
}

std::string names_body(const std::vector<std::string>& locks, std::string_view more) {
    std::string names;
    for (const auto& lock : locks)
        names.append(names.empty() ? "\"" : ",\"").append(lock).append("\"");
    return filled(R"({"locks":[$]$})", names, more);
}

}  // namespace fencegate::contract
