// Lock routes: from request to command. Ranges that depend on the lock class are judged by the
// store's rules; here is only what the request itself can be wrong in.
#include "proxy/json_reader.hpp"
#include "proxy/request_headers.hpp"
#include "proxy/routes.hpp"

namespace fencegate::proxy {
namespace {

constexpr std::size_t kOwnerBytesMax = 128;
constexpr std::size_t kMetadataBytesMax = 1024;
constexpr std::size_t kReasonBytesMax = 512;

Result<Uuid> lease_id(const RouteRequest& request) {
    const auto id = parse_uuid(request.parameter);
    if (!id) return fail(ErrorCode::LeaseNotFound, "A lease id is a lower-case UUID.");
    return *id;
}

Result<std::optional<Duration>> read_ttl(const JsonBody& body) {
    const auto ttl_ms = body.integer("ttl_ms");
    if (!ttl_ms) return std::unexpected(ttl_ms.error());
    if (!*ttl_ms) return std::nullopt;
    return Duration(**ttl_ms);
}

Result<Duration> read_wait(const JsonBody& body, Duration wait_max) {
    const auto wait_ms = body.integer("wait_ms");
    if (!wait_ms) return std::unexpected(wait_ms.error());
    const Duration wait(wait_ms->value_or(0));
    if (wait < Duration::zero() || wait > wait_max)
        return fail(ErrorCode::InvalidArgument,
                    "wait_ms must be between 0 and " + std::to_string(wait_max.count()) + ".");
    return wait;
}

Result<std::string> read_owner(const JsonBody& body) {
    auto owner = body.text("owner");
    if (!owner) return std::unexpected(owner.error());
    if (*owner && (*owner)->size() > kOwnerBytesMax)
        return fail(ErrorCode::InvalidArgument, "owner must have at most 128 bytes.");
    return owner->value_or("");
}

Result<std::string> read_metadata(const JsonBody& body) {
    auto metadata = body.object("metadata");
    if (!metadata) return std::unexpected(metadata.error());
    if (*metadata && (*metadata)->size() > kMetadataBytesMax)
        return fail(ErrorCode::InvalidArgument, "metadata must have at most 1024 bytes as JSON.");
    return metadata->value_or("");
}

Result<> check_mode(const JsonBody& body) {
    const auto mode = body.text("mode");
    if (!mode) return std::unexpected(mode.error());
    if (*mode && **mode != "exclusive")
        return fail(ErrorCode::InvalidArgument, "mode must be \"exclusive\".");
    return {};
}

}  // namespace

Result<storage::Operation> build_acquire(const RouteRequest& request) {
    auto lock = lockmgr::LockName::parse(request.parameter);
    if (!lock) return std::unexpected(lock.error());
    const auto body =
        JsonBody::parse(request.body, {"ttl_ms", "wait_ms", "owner", "mode", "metadata"});
    if (!body) return std::unexpected(body.error());
    if (const auto mode = check_mode(*body); !mode) return std::unexpected(mode.error());
    const auto ttl = read_ttl(*body);
    if (!ttl) return std::unexpected(ttl.error());
    const auto wait = read_wait(*body, request.limits.wait_max);
    if (!wait) return std::unexpected(wait.error());
    auto owner = read_owner(*body);
    if (!owner) return std::unexpected(owner.error());
    auto metadata = read_metadata(*body);
    if (!metadata) return std::unexpected(metadata.error());
    auto idempotency = read_idempotency(request);
    if (!idempotency) return std::unexpected(idempotency.error());
    return storage::AcquireLock{.lock = *std::move(lock),
                                .ttl = *ttl,
                                .wait = *wait,
                                .owner = *std::move(owner),
                                .metadata_json = *std::move(metadata),
                                .idempotency = *std::move(idempotency)};
}

Result<storage::Operation> build_renew(const RouteRequest& request) {
    const auto id = lease_id(request);
    if (!id) return std::unexpected(id.error());
    const auto body = JsonBody::parse(request.body, {"ttl_ms"});
    if (!body) return std::unexpected(body.error());
    const auto ttl = read_ttl(*body);
    if (!ttl) return std::unexpected(ttl.error());
    return storage::RenewLease{*id, *ttl};
}

Result<storage::Operation> build_release(const RouteRequest& request) {
    const auto id = lease_id(request);
    if (!id) return std::unexpected(id.error());
    return storage::ReleaseLease{*id};
}

Result<storage::Operation> build_read_lease(const RouteRequest& request) {
    const auto id = lease_id(request);
    if (!id) return std::unexpected(id.error());
    return storage::ReadLease{*id};
}

Result<storage::Operation> build_read_lock(const RouteRequest& request) {
    auto lock = lockmgr::LockName::parse(request.parameter);
    if (!lock) return std::unexpected(lock.error());
    return storage::ReadLock{*std::move(lock)};
}

Result<storage::Operation> build_break_lock(const RouteRequest& request) {
    auto lock = lockmgr::LockName::parse(request.parameter);
    if (!lock) return std::unexpected(lock.error());
    const auto seen = read_if_fence_token(request.head);
    if (seen.kind == lockmgr::PresentedToken::Kind::Malformed)
        return fail(ErrorCode::FenceTokenMalformed,
                    "If-Fence-Token must be a decimal from 1 to 2^53-1 without sign or leading "
                    "zero.");
    if (seen.kind == lockmgr::PresentedToken::Kind::Absent)
        return fail(ErrorCode::FenceTokenRequired,
                    "Send the token you saw holding the lock in If-Fence-Token.");
    const auto body = JsonBody::parse(request.body, {"reason"});
    if (!body) return std::unexpected(body.error());
    auto reason = body->text("reason");
    if (!reason) return std::unexpected(reason.error());
    if (!*reason || (*reason)->empty() || (*reason)->size() > kReasonBytesMax)
        return fail(ErrorCode::InvalidArgument, "reason is required: 1 to 512 bytes.");
    return storage::BreakLock{*std::move(lock), seen.value, **std::move(reason)};
}

}  // namespace fencegate::proxy
