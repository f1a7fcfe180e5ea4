#include "proxy/api/acquire_body.hpp"

#include "proxy/json/text_members.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

constexpr std::size_t kOwnerBytesMax = 128;
constexpr std::string_view kDeadlocks = "deadlocks";  // GET /v1/locks/deadlocks

using lockmgr::Claim;
using lockmgr::LockMode;
using lockmgr::LockName;

Result<Duration> read_wait(const JsonBody& body, Duration wait_max) {
    const auto wait_ms = body.integer("wait_ms");
    if (!wait_ms) return std::unexpected(wait_ms.error());
    const Duration wait(wait_ms->value_or(0));
    if (wait < Duration::zero() || wait > wait_max)
        return fail(ErrorCode::InvalidArgument,
                    "wait_ms must be between 0 and " + std::to_string(wait_max.count()) + ".");
    return wait;
}

Result<Claim> semaphore(std::optional<std::int64_t> permits) {
    if (!permits || *permits < 1 || *permits > lockmgr::kPermitsMax)
        return fail(ErrorCode::InvalidArgument,
                    "A semaphore needs permits: how many may hold it at once, 1 to " +
                        std::to_string(lockmgr::kPermitsMax) + ".");
    return Claim{LockMode::Semaphore, *permits};
}

}  // namespace

Result<LockName> read_lock_name(std::string_view text) {
    if (text == kDeadlocks)
        return fail(ErrorCode::InvalidLockName,
                    "\"deadlocks\" is a report and cannot be a lock name.");
    return LockName::parse(text);
}

Result<std::vector<LockName>> read_lock_names(const std::vector<std::string>& texts) {
    if (texts.empty() || texts.size() > lockmgr::kLocksPerLeaseMax)
        return fail(
            ErrorCode::InvalidArgument,
            "A lease covers 1 to " + std::to_string(lockmgr::kLocksPerLeaseMax) + " locks.");
    std::vector<LockName> locks;
    for (const auto& text : texts) {
        auto lock = read_lock_name(text);
        if (!lock) return std::unexpected(lock.error());
        locks.push_back(*std::move(lock));
    }
    std::ranges::sort(locks);
    if (std::ranges::adjacent_find(locks) != locks.end())
        return fail(ErrorCode::InvalidArgument, "A lock name is given twice.");
    return locks;
}

Result<storage::AcquireLock> read_acquire(const RouteRequest& request, const JsonBody& body) {
    const auto ttl = read_duration(body, "ttl_ms");
    if (!ttl) return std::unexpected(ttl.error());
    const auto wait = read_wait(body, request.limits.wait_max);
    if (!wait) return std::unexpected(wait.error());
    auto owner = read_text(body, "owner", kOwnerBytesMax);
    if (!owner) return std::unexpected(owner.error());
    auto metadata = read_object(body, "metadata", kValueBytesMax);
    if (!metadata) return std::unexpected(metadata.error());
    return storage::AcquireLock{.locks = {},
                                .ttl = *ttl,
                                .wait = *wait,
                                .owner = *std::move(owner),
                                .metadata_json = *std::move(metadata)};
}

Result<Claim> read_claim(const JsonBody& body) {
    const auto mode = body.text("mode");
    if (!mode) return std::unexpected(mode.error());
    const auto permits = body.integer("permits");
    if (!permits) return std::unexpected(permits.error());
    if (*mode == "semaphore" || (!*mode && *permits)) return semaphore(*permits);
    if (*permits)
        return fail(ErrorCode::InvalidArgument, "permits goes with mode \"semaphore\" only.");
    if (!*mode || *mode == "exclusive") return Claim{};
    if (*mode == "shared") return Claim{LockMode::Shared, 1};
    return fail(ErrorCode::InvalidArgument,
                "mode must be \"exclusive\", \"shared\" or \"semaphore\".");
}

Result<std::optional<Duration>> read_duration(const JsonBody& body, std::string_view name) {
    const auto ms = body.integer(name);
    if (!ms) return std::unexpected(ms.error());
    if (!*ms) return std::nullopt;
    return Duration(**ms);
}

Result<std::vector<LockName>> read_further_locks(const JsonBody& body,
                                                 const lockmgr::LockName& first) {
    auto names = body.text_list("locks");
    if (!names) return std::unexpected(names.error());
    auto all = names->value_or(std::vector<std::string>{});
    all.push_back(first.value());
    return read_lock_names(all);
}

}  // namespace fencegate::proxy
