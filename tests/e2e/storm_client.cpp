#include "tests/e2e/storm_client.hpp"

#include "tests/support/deadline.hpp"
#include "tests/support/reply_matcher.hpp"

#include <stdexcept>

namespace fencegate::testing {
namespace {

std::string class_of(const std::string& lock) {
    const auto segment = lock.substr(0, lock.find('/'));
    return segment == "payments" || segment == "jobs" ? segment : "other";
}

std::string with_class(std::string_view name, const std::string& lock_class,
                       std::string_view more = {}) {
    return filled(R"(fencegate_${class="$"$})", name, lock_class, more);
}

std::string outcome(const std::string& lock_class, std::string_view value) {
    return with_class("lock_acquire_total", lock_class, filled(R"(,outcome="$")", value));
}

std::string waited(const std::string& lock_class, std::string_view decided) {
    return with_class("lock_acquire_wait_seconds_count", lock_class,
                      filled(R"(,outcome="$")", decided));
}

std::string idempotency(std::string_view result) {
    return filled(R"(fencegate_idempotency_total{result="$"})", result);
}

std::string payments(std::string_view operation, std::string_view result) {
    return filled(R"(fencegate_payments_total{operation="$",result="$"})", operation, result);
}

std::string code_of(const Response& answer) {
    return answer.status < 400 ? std::string() : answer.json_text("code");
}

bool is_replayed(const Response& answer) { return answer.header("Idempotency-Replayed") == "true"; }

// How the metrics call the fence's refusal; empty: it was none.
std::string_view fence_result(std::string_view code) {
    if (code == "fence_token_stale") return "stale";
    if (code == "lease_expired") return "expired";
    if (code == "lease_released") return "released";
    if (code == "lease_broken") return "broken";
    if (code == "fence_token_unknown") return "unknown";
    if (code == "fence_lock_mismatch") return "mismatch";
    if (code == "fence_token_required") return "missing";
    if (code == "fence_token_malformed") return "malformed";
    if (code == "fence_not_holder") return "not_holder";
    return {};
}

// A payment write that reached the rules of payments, whatever they said.
bool is_decided(const Response& answer) {
    const auto code = code_of(answer);
    return code.empty() || code == "refund_exceeds_captured" || code == "payment_not_capturable" ||
           code == "payment_exists" || code == "payment_not_cancellable";
}

[[noreturn]] void fail(const Response& answer) {
    throw std::runtime_error("no rule of the storm explains " + std::to_string(answer.status) +
                             " " + answer.body);
}

}  // namespace

void add(Tally& sum, const Tally& more) {
    for (const auto& [series, count] : more) sum[series] += count;
}

Response StormClient::ask(std::string_view method, const std::string& target,
                          std::string_view route, const Headers& headers, const std::string& body) {
    auto answer = client_.request(method, target, headers, body);
    const auto route_label = filled(R"(route="$")", route);
    if (route == "unmatched") method = "any";
    count(filled(R"(fencegate_http_requests_total{listener="public",method="$",$,status="$"})",
                 method, route_label, answer.status));
    count(filled(R"(fencegate_http_request_duration_seconds_count{listener="public",method="$",$})",
                 method, route_label));
    return answer;
}

StormLease StormClient::acquire(const std::string& lock, std::int64_t ttl_ms, std::int64_t wait_ms,
                                const std::string& key) {
    Headers headers;
    if (!key.empty()) headers.emplace_back("Idempotency-Key", key);
    const auto answer = ask("POST", "/v1/locks/" + lock, "/v1/locks/{name...}", headers,
                            filled(R"({"ttl_ms":$,"wait_ms":$,"owner":"storm"})", ttl_ms, wait_ms));
    count_acquire(answer, lock, wait_ms > 0, !key.empty());
    if (answer.status != 201) return {};
    return {lock, answer.json_text("lease_id"), answer.header("X-Fence-Token")};
}

void StormClient::count_acquire(const Response& answer, const std::string& lock, bool waits,
                                bool has_key) {
    const auto lock_class = class_of(lock);
    const auto code = code_of(answer);
    if (is_replayed(answer)) return count(idempotency("replayed"));
    if (code == "idempotency_mismatch") return count(idempotency("mismatch"));
    if (code == "idempotency_in_flight") return count(idempotency("in_flight"));
    if (code == "queue_full") return count(outcome(lock_class, "queue_full"));
    if (code == "invalid_argument") return count(outcome(lock_class, "denied"));
    if (code == "lock_held" && !waits) return count(outcome(lock_class, "contended"));
    if (!code.empty() && code != "lock_held") fail(answer);
    const auto* const decided = code.empty() ? "granted" : "timeout";
    count(outcome(lock_class, decided));
    count(waited(lock_class, decided));
    if (code.empty() && has_key) count(idempotency("new"));
}

void StormClient::renew(const StormLease& lease) {
    const auto answer =
        ask("POST", "/v1/leases/" + lease.id + "/renew", "/v1/leases/{id}/renew", {}, "{}");
    if (answer.status == 410) return;
    if (answer.status != 200) fail(answer);
    count(with_class("lease_renewed_total", class_of(lease.lock)));
    count("fencegate_lease_remaining_ratio_count{at=\"renewal\",class=\"" + class_of(lease.lock) +
          "\"}");
}

void StormClient::release(const StormLease& lease) {
    const auto answer = ask("DELETE", "/v1/leases/" + lease.id, "/v1/leases/{id}");
    if (answer.status == 410 || is_replayed(answer)) return;
    if (answer.status != 204) fail(answer);
    const auto lock_class = class_of(lease.lock);
    count(with_class("lease_released_total", lock_class));
    count(with_class("lease_remaining_at_release_seconds_count", lock_class));
    count(with_class("lock_hold_seconds_count", lock_class, ",end=\"released\""));
    count("fencegate_lease_remaining_ratio_count{at=\"release\",class=\"" + lock_class + "\"}");
}

void StormClient::break_lock(const StormLease& lease) {
    const auto answer = ask("DELETE", "/v1/locks/" + lease.lock, "/v1/locks/{name...}",
                            {{"If-Fence-Token", lease.token}}, R"({"reason":"storm"})");
    if (answer.status != 200) fail(answer);
    count(with_class("lease_broken_total", class_of(lease.lock)));
    count(with_class("lock_hold_seconds_count", class_of(lease.lock), ",end=\"broken\""));
}

void StormClient::await_expiry(const StormLease& lease) {
    await("the end of a lease", [&] {
        const auto answer = ask("GET", "/v1/leases/" + lease.id, "/v1/leases/{id}");
        const auto state = answer.json_text("state");
        if (state != "live" && state != "expired" && state != "superseded") fail(answer);
        return state != "live";
    });
    count(with_class("lease_expired_total", class_of(lease.lock)));
    count(with_class("lock_hold_seconds_count", class_of(lease.lock), ",end=\"expired\""));
    count("fencegate_lease_expiry_lag_seconds_count");
}

void StormClient::await_waiters(const std::string& lock, std::int64_t count) {
    await("those who wait", [&] {
        return ask("GET", "/v1/locks/" + lock, "/v1/locks/{name...}").json_int("waiters") == count;
    });
}

std::string StormClient::create(const std::string& payment, const std::string& key,
                                const std::string& lock_of_token, const std::string& token) {
    Headers headers{{"Idempotency-Key", key}};
    if (!token.empty()) headers.emplace_back("X-Fence-Token", token);
    const auto answer = ask("POST", "/v1/payments", "/v1/payments", headers,
                            filled(R"({"id":"$","amount":1000000,"currency":"EUR"})", payment));
    count_write(answer, "create", class_of(lock_of_token), !token.empty());
    return code_of(answer);
}

std::string StormClient::move(const std::string& payment, std::string_view action,
                              const std::string& key, const std::string& token,
                              std::int64_t amount) {
    Headers headers{{"Idempotency-Key", key}};
    if (!token.empty()) headers.emplace_back("X-Fence-Token", token);
    const auto rest = "/" + std::string(action);
    const auto body = action == "cancel" ? "{}" : filled(R"({"amount":$})", amount);
    const auto answer =
        ask("POST", "/v1/payments/" + payment + rest, "/v1/payments/{id}" + rest, headers, body);
    const auto operation = action == "refunds"    ? "refund"
                           : action == "captures" ? "capture"
                                                  : "cancel";
    count_write(answer, operation, "payments", true);
    return code_of(answer);
}

void StormClient::count_write(const Response& answer, std::string_view operation,
                              const std::string& lock_class, bool is_fenced) {
    const auto code = code_of(answer);
    if (is_replayed(answer)) return count(idempotency("replayed"));
    if (code == "idempotency_mismatch") return count(idempotency("mismatch"));
    if (const auto refused = fence_result(code); !refused.empty())
        return count_fence(lock_class, refused);
    if (!is_decided(answer)) fail(answer);
    count(idempotency("new"));
    count(payments(operation, code.empty() ? "ok" : "refused"));
    // Jobs may write late, and do so only then.
    if (is_fenced) count_fence(lock_class, lock_class == "jobs" ? "late" : "accepted");
}

void StormClient::count_fence(const std::string& lock_class, std::string_view result) {
    count(with_class("fence_checks_total", lock_class, filled(R"(,result="$")", result)));
    if (result == "stale") count(with_class("fence_stale_age_seconds_count", lock_class));
}

void StormClient::look(const std::string& target, std::string_view route) {
    ask("GET", target, route);
}

}  // namespace fencegate::testing
