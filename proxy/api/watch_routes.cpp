// Routes whose answer is a stream: from request to subscription.
#include "proxy/api/routes.hpp"
#include "proxy/http/query_parameters.hpp"

namespace fencegate::proxy {
namespace {

// Anything longer, or with other bytes, is the beginning of no lock name: whoever asked for it
// would wait for good.
Result<> check_prefix(std::string_view prefix) {
    if (lockmgr::is_lock_prefix(prefix)) return {};
    return fail(ErrorCode::InvalidArgument, "No lock name begins with this prefix.");
}

Result<Asked> build_watch(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"prefix", "lock"});
    if (!known) return std::unexpected(known.error());
    const auto prefix = request.target.parameter("prefix");
    const auto lock = request.target.parameter("lock");
    if (prefix && lock)
        return fail(ErrorCode::InvalidArgument, "Watch either one lock or a prefix.");
    if (lock) {
        auto name = lockmgr::LockName::parse(*lock);
        if (!name) return std::unexpected(name.error());
        return Subscription{.filter = {WatchFilter::Kind::Lock, name->value()}};
    }
    if (auto sound = check_prefix(prefix.value_or("")); !sound)
        return std::unexpected(sound.error());
    return Subscription{.filter = {WatchFilter::Kind::Prefix, std::string(prefix.value_or(""))}};
}

constexpr Route kRoutes[] = {
    {"GET", "/v1/watch", Scope::LocksRead, build_watch},
};

}  // namespace

std::span<const Route> watch_routes() noexcept { return kRoutes; }

}  // namespace fencegate::proxy
