#include "proxy/api/routes.hpp"

#include "base/digest.hpp"
#include "storage/model/canonical_form.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

constexpr Route kRoutes[] = {
    {"POST", "/v1/locks/{name...}", Scope::LocksWrite, 201, "/v1/leases/", build_acquire},
    {"GET", "/v1/locks", Scope::LocksRead, 200, "", build_list_locks},
    {"GET", "/v1/locks/deadlocks", Scope::LocksRead, 200, "", build_find_deadlocks},
    {"GET", "/v1/locks/{name...}", Scope::LocksRead, 200, "", build_read_lock},
    {"DELETE", "/v1/locks/{name...}", Scope::Admin, 200, "", build_break_lock},
    {"POST", "/v1/leases", Scope::LocksWrite, 201, "/v1/leases/", build_acquire_many},
    {"POST", "/v1/leases/{id}/renew", Scope::LocksWrite, 200, "", build_renew},
    {"GET", "/v1/leases/{id}", Scope::LocksRead, 200, "", build_read_lease},
    {"DELETE", "/v1/leases/{id}", Scope::LocksWrite, 204, "", build_release},
    {"GET", "/v1/history", Scope::LocksRead, 200, "", build_read_history},
    {"GET", "/v1/classes/{class}/advice", Scope::LocksRead, 200, "", build_read_advice},
    {"GET", "/v1/fence/verify", Scope::LocksRead, 200, "", build_verify_fence},
    {"POST", "/v1/elections/{name}", Scope::LocksWrite, 201, "/v1/leases/", build_campaign},
    {"PUT", "/v1/elections/{name}", Scope::LocksWrite, 200, "", build_proclaim},
    {"DELETE", "/v1/elections/{name}", Scope::LocksWrite, 204, "", build_resign},
    {"GET", "/v1/elections/{name}", Scope::LocksRead, 200, "", build_read_election},
    {"GET", "/v1/elections/{name}/observe", Scope::LocksRead, 200, "", nullptr, build_observe},
    {"POST", "/v1/runs/{job}/{slot}", Scope::LocksWrite, 201, "/v1/leases/", build_claim_run},
    {"POST", "/v1/runs/{job}/{slot}/done", Scope::LocksWrite, 200, "", build_run_done},
    {"POST", "/v1/runs/{job}/{slot}/failed", Scope::LocksWrite, 200, "", build_run_failed},
    {"GET", "/v1/runs/{job}/{slot}", Scope::LocksRead, 200, "", build_read_run},
    {"GET", "/v1/runs/{job}", Scope::LocksRead, 200, "", build_list_runs},
    {"GET", "/v1/watch", Scope::LocksRead, 200, "", nullptr, build_watch},
    {"POST", "/v1/payments", Scope::PaymentsWrite, 201, "/v1/payments/", build_create_payment},
    {"POST", "/v1/payments/{id}/captures", Scope::PaymentsWrite, 201, "", build_capture},
    {"POST", "/v1/payments/{id}/refunds", Scope::PaymentsWrite, 201, "", build_refund},
    {"POST", "/v1/payments/{id}/cancel", Scope::PaymentsWrite, 200, "", build_cancel},
    {"GET", "/v1/payments", Scope::PaymentsRead, 200, "", build_list_payments},
    {"GET", "/v1/payments/{id}", Scope::PaymentsRead, 200, "", build_read_payment},
    {"GET", "/v1/payments/{id}/refunds", Scope::PaymentsRead, 200, "", build_list_refunds},
    {"GET", "/v1/ledger/accounts", Scope::PaymentsRead, 200, "", build_read_accounts},
    {"GET", "/v1/ledger/entries", Scope::PaymentsRead, 200, "", build_list_entries},
    {"GET", "/v1/ledger/statement", Scope::PaymentsRead, 200, "", nullptr, nullptr,
     build_statement},
    {"GET", "/v1/events", Scope::PaymentsRead, 200, "", build_read_events},
    {"PUT", "/v1/events/consumers/{name}", Scope::PaymentsWrite, 200, "", build_acknowledge},
    {"GET", "/v1/events/consumers/{name}", Scope::PaymentsRead, 200, "", build_read_consumer},
    {"DELETE", "/v1/events/consumers/{name}", Scope::PaymentsWrite, 204, "", build_forget_consumer},
};

// The parameters by name, each with its length: their order and their escapes do not count.
std::string canonical_query(const Target& target) {
    auto query = target.query;
    std::ranges::sort(query);
    std::string text;
    for (const auto& [name, value] : query) {
        for (const std::string_view part : {name, std::string_view(value)})
            text.append(std::to_string(part.size())).append(":").append(part);
    }
    return text;
}

std::string_view next_segment(std::string_view& pattern) {
    pattern.remove_prefix(1);  // its leading '/'
    const auto size = std::min(pattern.find('/'), pattern.size());
    const auto segment = pattern.substr(0, size);
    pattern.remove_prefix(size);
    return segment;
}

// The path's parameter if it has the form of the pattern.
std::optional<std::string_view> match(std::string_view pattern, const Target& target) {
    std::string_view parameter;
    std::size_t at = 0;
    while (!pattern.empty()) {
        const auto expected = next_segment(pattern);
        if (at >= target.segments.size()) return std::nullopt;
        if (expected.ends_with("...}")) return target.tail(at);
        if (expected.front() == '{') {
            parameter = target.segments[at];
        } else if (expected != target.segments[at]) {
            return std::nullopt;
        }
        ++at;
    }
    if (at != target.segments.size()) return std::nullopt;
    return parameter;
}

}  // namespace

std::span<const Route> routes() noexcept { return kRoutes; }

Result<RouteMatch> match_route(std::string_view method, const Target& target) {
    std::string allow;
    for (std::size_t index = 0; index < std::size(kRoutes); ++index) {
        const auto& route = kRoutes[index];
        const auto parameter = match(route.pattern, target);
        if (!parameter) continue;
        if (route.method == method) return RouteMatch{&route, index + 1, *parameter};
        if (!allow.empty()) allow += ", ";
        allow += route.method;
    }
    if (allow.empty())
        return fail(ErrorCode::RouteNotFound,
                    "No such route. The API is described in docs/api.md.");
    auto detail = "This path takes " + allow + ".";
    return fail(ErrorCode::MethodNotAllowed, std::move(detail), {{"allow", std::move(allow)}});
}

std::vector<RouteLabels> route_labels(std::span<const RouteLabels> admin) {
    std::vector<RouteLabels> labels{{"unmatched", "any", Listener::Public}};
    for (const auto& route : kRoutes) labels.push_back({route.pattern, route.method});
    labels.insert(labels.end(), admin.begin(), admin.end());
    return labels;
}

storage::Idempotency make_idempotency(const RouteRequest& request, std::string key,
                                      const storage::Operation& operation,
                                      const lockmgr::LockClasses& classes) {
    const auto& head = request.head;
    storage::Idempotency made;
    made.digest = storage::key_digest(request.principal, key);
    made.key = std::move(key);
    made.fingerprint = sha256({head.method, request.target.path, canonical_query(request.target),
                               storage::canonical_form(operation, classes), request.principal});
    made.raw_fingerprint = sha256({head.method, head.target, request.body, request.principal});
    return made;
}

}  // namespace fencegate::proxy
