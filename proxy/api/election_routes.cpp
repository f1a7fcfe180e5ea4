// Election routes: from request to command. An election is the lock elections/{name} with a value.
#include "lockmgr/guards.hpp"
#include "proxy/api/acquire_body.hpp"
#include "proxy/http/request_headers.hpp"
#include "proxy/json/text_members.hpp"

namespace fencegate::proxy {
namespace {

Result<std::string> election_name(const RouteRequest& request) {
    if (!lockmgr::is_lock_segment(request.parameters[0]))
        return fail(ErrorCode::InvalidLockName,
                    "The name of an election is 1 to 64 of A-Z a-z 0-9 . _ ~ : -.");
    return std::string(request.parameters[0]);
}

Result<Asked> build_campaign(const RouteRequest& request) {
    auto name = election_name(request);
    if (!name) return std::unexpected(name.error());
    const auto body =
        JsonBody::parse(request.body, {"ttl_ms", "wait_ms", "owner", "metadata", "value", "locks"});
    if (!body) return std::unexpected(body.error());
    auto acquire = read_acquire(request, *body);
    if (!acquire) return std::unexpected(acquire.error());
    auto locks = read_further_locks(*body, lockmgr::election_lock(*name));
    if (!locks) return std::unexpected(locks.error());
    auto value = read_object(*body, "value", kValueBytesMax);
    if (!value) return std::unexpected(value.error());
    acquire->locks = *std::move(locks);
    acquire->purpose = storage::Campaign{*std::move(name), *std::move(value)};
    return *std::move(acquire);
}

Result<Asked> build_proclaim(const RouteRequest& request) {
    auto name = election_name(request);
    if (!name) return std::unexpected(name.error());
    const auto body = JsonBody::parse(request.body, {"value"});
    if (!body) return std::unexpected(body.error());
    auto value = read_object(*body, "value", kValueBytesMax);
    if (!value) return std::unexpected(value.error());
    if (value->empty()) return fail(ErrorCode::InvalidArgument, "value is required: an object.");
    return storage::Proclaim{*std::move(name), *std::move(value), read_fence_token(request.head)};
}

Result<Asked> build_resign(const RouteRequest& request) {
    auto name = election_name(request);
    if (!name) return std::unexpected(name.error());
    return storage::Resign{*std::move(name), read_fence_token(request.head)};
}

// The stream begins with the election as GET shows it; then comes what happens to its lock.
Result<Asked> build_observe(const RouteRequest& request) {
    auto name = election_name(request);
    if (!name) return std::unexpected(name.error());
    return Subscription{.filter = {WatchFilter::Kind::Lock, lockmgr::election_lock(*name).value()},
                        .snapshot = storage::ReadElection{*name}};
}

Result<Asked> build_read_election(const RouteRequest& request) {
    auto name = election_name(request);
    if (!name) return std::unexpected(name.error());
    return storage::ReadElection{*std::move(name)};
}

constexpr Route kRoutes[] = {
    {"POST", "/v1/elections/{name}", Scope::LocksWrite, build_campaign, 201, "/v1/leases/"},
    {"PUT", "/v1/elections/{name}", Scope::LocksWrite, build_proclaim},
    {"DELETE", "/v1/elections/{name}", Scope::LocksWrite, build_resign, 204},
    {"GET", "/v1/elections/{name}", Scope::LocksRead, build_read_election},
    {"GET", "/v1/elections/{name}/observe", Scope::LocksRead, build_observe},
};

}  // namespace

std::span<const Route> election_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
