// Lock routes: from request to command.
#include "proxy/api/acquire_body.hpp"
#include "proxy/http/query_parameters.hpp"
#include "proxy/http/request_headers.hpp"

namespace fencegate::proxy {
namespace {

constexpr std::size_t kReasonBytesMax = 512;

Result<Uuid> lease_id(const RouteRequest& request) {
    const auto id = parse_uuid(request.parameters[0]);
    if (!id) return fail(ErrorCode::LeaseNotFound, "A lease id is a lower-case UUID.");
    return *id;
}

Result<Asked> acquire_of(const RouteRequest& request, const JsonBody& body,
                         std::vector<lockmgr::LockName> locks) {
    auto acquire = read_acquire(request, body);
    if (!acquire) return std::unexpected(acquire.error());
    const auto claim = read_claim(body);
    if (!claim) return std::unexpected(claim.error());
    acquire->locks = std::move(locks);
    acquire->claim = *claim;
    return *std::move(acquire);
}

// The query parameter `lock`. Fails with: InvalidArgument if there is none, InvalidLockName.
Result<lockmgr::LockName> lock_asked_for(const RouteRequest& request) {
    const auto text = request.target.parameter("lock");
    if (!text) return fail(ErrorCode::InvalidArgument, "Say which lock: ?lock=payments/pay_42");
    return lockmgr::LockName::parse(*text);
}

Result<storage::ListLocks::Filter> read_filter(const Target& target) {
    using Filter = storage::ListLocks::Filter;
    const auto state = target.parameter("state");
    if (!state) return Filter::All;
    if (*state == "held") return Filter::Held;
    if (*state == "free") return Filter::Free;
    return fail(ErrorCode::InvalidArgument, "state must be \"held\" or \"free\".");
}

Result<Asked> build_acquire(const RouteRequest& request) {
    auto lock = read_lock_name(request.parameters[0]);
    if (!lock) return std::unexpected(lock.error());
    const auto body = JsonBody::parse(
        request.body, {"ttl_ms", "wait_ms", "owner", "mode", "permits", "metadata"});
    if (!body) return std::unexpected(body.error());
    return acquire_of(request, *body, {*std::move(lock)});
}

Result<Asked> build_acquire_many(const RouteRequest& request) {
    const auto body = JsonBody::parse(
        request.body, {"locks", "ttl_ms", "wait_ms", "owner", "mode", "permits", "metadata"});
    if (!body) return std::unexpected(body.error());
    auto names = body->text_list("locks");
    if (!names) return std::unexpected(names.error());
    if (!*names) return fail(ErrorCode::InvalidArgument, "locks is required: a list of names.");
    auto locks = read_lock_names(**names);
    if (!locks) return std::unexpected(locks.error());
    return acquire_of(request, *body, *std::move(locks));
}

Result<Asked> build_renew(const RouteRequest& request) {
    const auto id = lease_id(request);
    if (!id) return std::unexpected(id.error());
    const auto body = JsonBody::parse(request.body, {"ttl_ms", "progress"});
    if (!body) return std::unexpected(body.error());
    const auto ttl = read_duration(*body, "ttl_ms");
    if (!ttl) return std::unexpected(ttl.error());
    const auto progress = body->integer("progress");
    if (!progress) return std::unexpected(progress.error());
    return storage::RenewLease{*id, *ttl, *progress};
}

Result<Asked> build_release(const RouteRequest& request) {
    const auto id = lease_id(request);
    if (!id) return std::unexpected(id.error());
    return storage::ReleaseLease{*id};
}

Result<Asked> build_read_lease(const RouteRequest& request) {
    const auto id = lease_id(request);
    if (!id) return std::unexpected(id.error());
    return storage::ReadLease{*id};
}

Result<Asked> build_read_lock(const RouteRequest& request) {
    auto lock = lockmgr::LockName::parse(request.parameters[0]);
    if (!lock) return std::unexpected(lock.error());
    return storage::ReadLock{*std::move(lock)};
}

Result<Asked> build_list_locks(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"prefix", "state", "limit", "cursor"});
    if (!known) return std::unexpected(known.error());
    const auto filter = read_filter(request.target);
    if (!filter) return std::unexpected(filter.error());
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    return storage::ListLocks{
        .prefix = std::string(request.target.parameter("prefix").value_or("")),
        .filter = *filter,
        .after = std::string(request.target.parameter("cursor").value_or("")),
        .limit = *page};
}

Result<Asked> build_read_history(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"lock", "limit", "cursor"});
    if (!known) return std::unexpected(known.error());
    auto lock = lock_asked_for(request);
    if (!lock) return std::unexpected(lock.error());
    const auto page = read_page(request.target);
    if (!page) return std::unexpected(page.error());
    const auto cursor = read_number(request.target, "cursor", 0, 0, lockmgr::kTokenMax);
    if (!cursor) return std::unexpected(cursor.error());
    return storage::ReadHistory{.lock = *std::move(lock),
                                .before = lockmgr::FencingToken::from_number(*cursor),
                                .limit = *page};
}

Result<Asked> build_verify_fence(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"lock", "token"});
    if (!known) return std::unexpected(known.error());
    auto lock = lock_asked_for(request);
    if (!lock) return std::unexpected(lock.error());
    const auto token = lockmgr::FencingToken::parse(request.target.parameter("token").value_or(""));
    if (!token)
        return fail(ErrorCode::FenceTokenMalformed,
                    "token must be a decimal from 1 to 2^53-1 without sign or leading zero.");
    return storage::VerifyFence{.lock = *std::move(lock), .token = *token};
}

Result<Asked> build_find_deadlocks(const RouteRequest&) { return storage::FindDeadlocks{}; }

Result<Asked> build_read_advice(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {});
    if (!known) return std::unexpected(known.error());
    return storage::ReadAdvice{std::string(request.parameters[0])};
}

Result<Asked> build_break_lock(const RouteRequest& request) {
    auto lock = read_lock_name(request.parameters[0]);
    if (!lock) return std::unexpected(lock.error());
    const auto seen = read_if_fence_token(request.head);
    if (seen == std::unexpected(lockmgr::TokenFault::Malformed))
        return fail(ErrorCode::FenceTokenMalformed,
                    "If-Fence-Token must be a decimal from 1 to 2^53-1 without sign or leading "
                    "zero.");
    if (seen == lockmgr::kNoToken)
        return fail(ErrorCode::FenceTokenRequired,
                    "Send the token you saw holding the lock in If-Fence-Token.");
    const auto body = JsonBody::parse(request.body, {"reason"});
    if (!body) return std::unexpected(body.error());
    auto reason = body->text("reason");
    if (!reason) return std::unexpected(reason.error());
    if (!*reason || (*reason)->empty() || (*reason)->size() > kReasonBytesMax)
        return fail(ErrorCode::InvalidArgument, "reason is required: 1 to 512 bytes.");
    return storage::BreakLock{*std::move(lock), *seen, **std::move(reason)};
}

constexpr Route kRoutes[] = {
    {"POST", "/v1/locks/{name...}", Scope::LocksWrite, build_acquire, 201, "/v1/leases/"},
    {"GET", "/v1/locks", Scope::LocksRead, build_list_locks},
    {"GET", "/v1/locks/deadlocks", Scope::LocksRead, build_find_deadlocks},
    {"GET", "/v1/locks/{name...}", Scope::LocksRead, build_read_lock},
    {"DELETE", "/v1/locks/{name...}", Scope::Admin, build_break_lock},
    {"POST", "/v1/leases", Scope::LocksWrite, build_acquire_many, 201, "/v1/leases/"},
    {"POST", "/v1/leases/{id}/renew", Scope::LocksWrite, build_renew},
    {"GET", "/v1/leases/{id}", Scope::LocksRead, build_read_lease},
    {"DELETE", "/v1/leases/{id}", Scope::LocksWrite, build_release, 204},
    {"GET", "/v1/history", Scope::LocksRead, build_read_history},
    {"GET", "/v1/classes/{class}/advice", Scope::LocksRead, build_read_advice},
    {"GET", "/v1/fence/verify", Scope::LocksRead, build_verify_fence},
};

}  // namespace

std::span<const Route> lock_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
