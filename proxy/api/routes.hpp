#pragma once
// The route table: every route of the API, what it may do and how its request becomes a command.
// The table is the index of the API; 404 and 405 fall out of it.
// Builders are pure: they read head, target and body and touch nothing.
// Thread rule: pure functions over constants.

#include "base/result.hpp"
#include "lockmgr/lock_class.hpp"
#include "proxy/access/credentials.hpp"
#include "proxy/http/request_head.hpp"
#include "proxy/http/target.hpp"
#include "proxy/streams/statement.hpp"
#include "proxy/streams/subscription.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "storage/model/command.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

struct RouteLimits {
    Duration wait_max;
};

struct RouteRequest {
    const RequestHead& head;
    const Target& target;
    std::string_view parameter;  // what stands for the last {...} in the path
    std::string_view body;
    std::string_view principal;
    RouteLimits limits;
};

// What a request asked under a key is told from others by; see storage/model/canonical_form.hpp.
// `classes` are those that the store was opened with.
[[nodiscard]] storage::Idempotency make_idempotency(const RouteRequest& request, std::string key,
                                                    const storage::Operation& operation,
                                                    const lockmgr::LockClasses& classes);

using BuildSubscription = Result<Subscription> (*)(const RouteRequest&);
using BuildStatement = Result<StatementRequest> (*)(const RouteRequest&);
using BuildOperation = Result<storage::Operation> (*)(const RouteRequest&);

struct Route {
    std::string_view method;
    std::string_view pattern;  // "{id}" is one segment, "{name...}" the rest
    Scope scope;
    int success_status;
    std::string_view location;  // what precedes the resource's id in Location; empty: none
    BuildOperation build;       // nullptr: the answer is a stream
    BuildSubscription subscribe = nullptr;  // nullptr: it is not
    BuildStatement state = nullptr;         // of a statement only
};

[[nodiscard]] std::span<const Route> routes() noexcept;

struct RouteMatch {
    const Route* route;
    RouteId id;  // for metrics; 0 is unmatched
    std::string_view parameter;
};

// Fails with: RouteNotFound, MethodNotAllowed (the member "allow" lists what the path takes).
[[nodiscard]] Result<RouteMatch> match_route(std::string_view method, const Target& target);

// Labels of all routes for the metrics, "unmatched" first, then routes(), then `admin`.
[[nodiscard]] std::vector<RouteLabels> route_labels(std::span<const RouteLabels> admin);

// Builders, in lock_routes.cpp, election_routes.cpp, run_routes.cpp, watch_routes.cpp,
// payment_routes.cpp, ledger_routes.cpp and event_routes.cpp.
Result<storage::Operation> build_acquire(const RouteRequest& request);
Result<storage::Operation> build_renew(const RouteRequest& request);
Result<storage::Operation> build_release(const RouteRequest& request);
Result<storage::Operation> build_read_lease(const RouteRequest& request);
Result<storage::Operation> build_read_lock(const RouteRequest& request);
Result<storage::Operation> build_break_lock(const RouteRequest& request);
Result<storage::Operation> build_acquire_many(const RouteRequest& request);
Result<storage::Operation> build_list_locks(const RouteRequest& request);
Result<storage::Operation> build_read_history(const RouteRequest& request);
Result<storage::Operation> build_verify_fence(const RouteRequest& request);
Result<storage::Operation> build_find_deadlocks(const RouteRequest& request);
Result<storage::Operation> build_read_advice(const RouteRequest& request);
Result<storage::Operation> build_campaign(const RouteRequest& request);
Result<storage::Operation> build_proclaim(const RouteRequest& request);
Result<storage::Operation> build_resign(const RouteRequest& request);
Result<storage::Operation> build_read_election(const RouteRequest& request);
Result<storage::Operation> build_claim_run(const RouteRequest& request);
Result<storage::Operation> build_run_done(const RouteRequest& request);
Result<storage::Operation> build_run_failed(const RouteRequest& request);
Result<storage::Operation> build_read_run(const RouteRequest& request);
Result<storage::Operation> build_list_runs(const RouteRequest& request);
Result<storage::Operation> build_create_payment(const RouteRequest& request);
Result<storage::Operation> build_capture(const RouteRequest& request);
Result<storage::Operation> build_refund(const RouteRequest& request);
Result<storage::Operation> build_cancel(const RouteRequest& request);
Result<storage::Operation> build_read_payment(const RouteRequest& request);
Result<storage::Operation> build_list_refunds(const RouteRequest& request);
Result<storage::Operation> build_list_payments(const RouteRequest& request);
Result<storage::Operation> build_read_accounts(const RouteRequest& request);
Result<storage::Operation> build_list_entries(const RouteRequest& request);
Result<StatementRequest> build_statement(const RouteRequest& request);
Result<storage::Operation> build_read_events(const RouteRequest& request);
Result<storage::Operation> build_acknowledge(const RouteRequest& request);
Result<storage::Operation> build_read_consumer(const RouteRequest& request);
Result<storage::Operation> build_forget_consumer(const RouteRequest& request);
Result<Subscription> build_observe(const RouteRequest& request);
Result<Subscription> build_watch(const RouteRequest& request);

}  // namespace fencegate::proxy
