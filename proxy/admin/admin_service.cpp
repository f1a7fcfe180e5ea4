#include "proxy/admin/admin_service.hpp"

#include "proxy/http/gzip.hpp"
#include "proxy/http/query_parameters.hpp"
#include "proxy/http/request_headers.hpp"

#include <algorithm>

namespace fencegate::proxy {
namespace {

constexpr std::string_view kMetricsPath = "/metrics";
constexpr std::string_view kHotLocksPath = "/locks/hot";
constexpr std::string_view kHealthPath = "/healthz";
constexpr std::string_view kReadyPath = "/readyz";

constexpr RouteLabels kRoutes[] = {
    {kMetricsPath, "GET", Listener::Admin},
    {kHotLocksPath, "GET", Listener::Admin},
    {kHealthPath, "GET", Listener::Admin},
    {kReadyPath, "GET", Listener::Admin},
    BackupRoutes::kLabels[0],
    BackupRoutes::kLabels[1],
    BackupRoutes::kLabels[2],
    BackupRoutes::kLabels[3],
    BackupRoutes::kLabels[4],
};
constexpr std::size_t kBackups = std::size(kRoutes) - BackupRoutes::kLabels.size();

}  // namespace

AdminService::AdminService(const CredentialStore& credentials, Metrics& metrics,
                           BackupRoutes& backups, const storage::Engine& engine,
                           const HotLocks& hot_locks, const Clock& clock,
                           bool metrics_are_anonymous, RouteId first_route_id)
    : credentials_(credentials),
      metrics_(metrics),
      backups_(backups),
      engine_(engine),
      hot_locks_(hot_locks),
      clock_(clock),
      metrics_are_anonymous_(metrics_are_anonymous),
      first_route_id_(first_route_id) {}

std::span<const RouteLabels> AdminService::route_labels() noexcept { return kRoutes; }

Result<> AdminService::admit(Exchange& exchange) const {
    auto target = parse_target(exchange.head.target);
    if (!target) return std::unexpected(target.error());
    exchange.target = *std::move(target);
    if (BackupRoutes::serves(exchange.target)) return admit_backups(exchange);
    const auto* route = std::ranges::find(kRoutes, exchange.target.path, &RouteLabels::name);
    if (route == std::ranges::end(kRoutes))
        return fail(
            ErrorCode::RouteNotFound,
            "The admin listener serves /metrics, /locks/hot, /backups, /verify, /healthz and "
            "/readyz.");
    if (exchange.head.method != route->method)
        return fail(ErrorCode::MethodNotAllowed, "This path takes GET.",
                    {{"allow", std::string(route->method)}});
    exchange.route_id = first_route_id_ + static_cast<RouteId>(route - kRoutes);
    exchange.route_pattern = route->name;
    const bool is_open = route->name == kHealthPath || route->name == kReadyPath;
    if (is_open || metrics_are_anonymous_) return {};
    auto principal = authorize(credentials_, exchange.head.authorization, Scope::MetricsRead);
    if (!principal) return std::unexpected(principal.error());
    exchange.principal = *std::move(principal);
    return {};
}

// Credentials first: who is nobody learns nothing about what there is.
Result<> AdminService::admit_backups(Exchange& exchange) const {
    auto principal = authorize(credentials_, exchange.head.authorization, Scope::Admin);
    if (!principal) return std::unexpected(principal.error());
    exchange.principal = *std::move(principal);
    const auto index = BackupRoutes::match(exchange.head.method, exchange.target);
    if (!index) return std::unexpected(index.error());
    exchange.route_id = first_route_id_ + kBackups + *index;
    exchange.route_pattern = BackupRoutes::kLabels[*index].name;
    return {};
}

Begun AdminService::begin(const Exchange& exchange, std::string_view body) {
    if (BackupRoutes::serves(exchange.target)) return backups_.answer(exchange, body);
    if (exchange.target.path == kMetricsPath) return metrics_reply(exchange.head);
    if (exchange.target.path == kHotLocksPath) return begin_hot_locks(exchange);
    return health_reply(exchange.target.path == kHealthPath || !is_draining_);
}

Reply AdminService::finish(const Exchange& exchange, storage::Answer answer) {
    if (answer.error) return refuse(*answer.error, exchange.request_id);
    Reply reply;
    const auto limit = read_page(exchange.target).value_or(0);
    reply.body = hot_locks_document(hot_locks_, answer.body, static_cast<std::size_t>(limit));
    return reply;
}

// Who holds a lock for long is in the rows, so the store is asked.
Begun AdminService::begin_hot_locks(const Exchange& exchange) {
    const auto known = check_parameters(exchange.target, {"limit"});
    if (!known) return refuse(known.error(), exchange.request_id);
    const auto limit = read_page(exchange.target);
    if (!limit) return refuse(limit.error(), exchange.request_id);
    return storage::Command{exchange.principal, exchange.request_id,
                            storage::ReadLongestHeld{*limit}, exchange.route_pattern};
}

Reply AdminService::metrics_reply(const RequestHead& head) {
    Reply reply;
    reply.content_type = Metrics::kContentType;
    const auto now = clock_.boot_now();
    const auto load = engine_.load();
    metrics_.store_queue_depth(load.commands);
    metrics_.store_commit_running(now - load.busy_since.value_or(now));
    metrics_.clock_shown(now, clock_.wall_now());
    reply.body = metrics_.serialize(now);
    reply.add_header("Vary", "Accept-Encoding");
    if (!head.accept_encoding || !accepts_gzip(*head.accept_encoding)) return reply;
    reply.body = gzip(reply.body);
    reply.add_header("Content-Encoding", "gzip");
    return reply;
}

Reply AdminService::health_reply(bool is_ready) const {
    Reply reply;
    reply.status = is_ready ? 200 : 503;
    reply.body = is_ready ? R"({"status":"ok"})" : R"({"status":"draining"})";
    return reply;
}

}  // namespace fencegate::proxy
