#include "proxy/admin/admin_service.hpp"

#include "base/check.hpp"
#include "base/json_writer.hpp"
#include "proxy/api/routes.hpp"
#include "proxy/http/authorize.hpp"
#include "proxy/http/gzip.hpp"
#include "proxy/http/query_parameters.hpp"
#include "proxy/http/request_headers.hpp"

namespace fencegate::proxy {
namespace {

template <class Task>
Result<Asked> build_show(const RouteRequest&) {
    return Task{};
}

// Who holds a lock for long is in the rows, so the store is asked.
Result<Asked> build_hot_locks(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"limit"});
    if (!known) return std::unexpected(known.error());
    const auto limit = read_page(request.target);
    if (!limit) return std::unexpected(limit.error());
    return storage::ReadLongestHeld{*limit};
}

constexpr Route kRoutes[] = {
    {"GET", "/metrics", Scope::MetricsRead, build_show<ShowMetrics>},
    {"GET", "/locks/hot", Scope::MetricsRead, build_hot_locks},
    {"GET", "/healthz", std::nullopt, build_show<ShowHealth>},
    {"GET", "/readyz", std::nullopt, build_show<ShowReadiness>},
};

bool is_about_copies(const Target& target) {
    return !target.segments.empty() &&
           (target.segments.front() == "backups" || target.segments.front() == "verify");
}

Reply status_reply(int status, std::string_view text) {
    Reply reply;
    reply.status = status;
    JsonWriter(reply.body).begin_object().member("status", text).end_object();
    return reply;
}

}  // namespace

const RouteTable& admin_routes() {
    static const RouteTable table(
        Listener::Admin, api_routes().end_id(),
        "The admin listener serves /metrics, /locks/hot, /backups, /verify, /healthz and /readyz.",
        {kRoutes, backup_routes()});
    return table;
}

AdminService::AdminService(const CredentialStore& credentials, Metrics& metrics,
                           BackupRoutes& backups, const HotLocks& hot_locks, const Clock& clock,
                           std::function<void(BootTime)> refresh, bool metrics_are_anonymous)
    : credentials_(credentials),
      metrics_(metrics),
      backups_(backups),
      hot_locks_(hot_locks),
      clock_(clock),
      refresh_(std::move(refresh)),
      metrics_are_anonymous_(metrics_are_anonymous) {}

Result<> AdminService::admit(Exchange& exchange) const {
    auto target = parse_target(exchange.head.target);
    if (!target) return std::unexpected(target.error());
    exchange.target = *std::move(target);
    const auto match = admin_routes().match(exchange.head.method, exchange.target);
    if (match) exchange.match = *match;
    if (const auto scope = scope_of(exchange)) {
        auto principal = authorize(credentials_, exchange.head.authorization, *scope);
        if (!principal) return std::unexpected(principal.error());
        exchange.principal = *std::move(principal);
    }
    if (!match) return std::unexpected(match.error());
    return {};
}

// Of copies nobody learns anything without credentials, not even that there is no such path.
std::optional<Scope> AdminService::scope_of(const Exchange& exchange) const {
    const auto* route = exchange.match.route;
    if (route == nullptr)
        return is_about_copies(exchange.target) ? std::optional(Scope::Admin) : std::nullopt;
    if (route->scope == Scope::MetricsRead && metrics_are_anonymous_) return std::nullopt;
    return route->scope;
}

Begun AdminService::begin(const Exchange& exchange, std::string_view body) {
    const auto& match = exchange.match;
    auto asked = match.route->build({.head = exchange.head,
                                     .target = exchange.target,
                                     .parameters = match.parameters,
                                     .body = body,
                                     .principal = exchange.principal});
    if (!asked) return refuse(asked.error(), exchange.request_id);
    if (auto* operation = std::get_if<storage::Operation>(&*asked))
        return storage::Command{exchange.principal, exchange.request_id, std::move(*operation),
                                match.route->pattern};
    const auto* asked_here = std::get_if<AdminTask>(&*asked);
    FG_CHECK(asked_here != nullptr);  // this listener has no streams
    auto reply = std::visit([&](const auto& task) { return answer(exchange, task); }, *asked_here);
    return reply ? *std::move(reply) : refuse(reply.error(), exchange.request_id);
}

Reply AdminService::finish(const Exchange& exchange, storage::Answer answer) {
    if (answer.error) return refuse(*answer.error, exchange.request_id);
    Reply reply;
    const auto limit = read_page(exchange.target).value_or(0);
    reply.body = hot_locks_document(hot_locks_, answer.body, static_cast<std::size_t>(limit));
    return reply;
}

Result<Reply> AdminService::answer(const Exchange&, const ShowHealth&) const {
    return status_reply(200, "ok");
}

Result<Reply> AdminService::answer(const Exchange&, const ShowReadiness&) const {
    return is_draining_ ? status_reply(503, "draining") : status_reply(200, "ok");
}

Result<Reply> AdminService::answer(const Exchange&, const BackupTask& task) {
    return backups_.carry_out(task);
}

Result<Reply> AdminService::answer(const Exchange& exchange, const ShowMetrics&) {
    Reply reply;
    reply.content_type = Metrics::kContentType;
    const auto now = clock_.boot_now();
    refresh_(now);
    reply.body = metrics_.serialize(now);
    reply.add_header("Vary", "Accept-Encoding");
    const auto& accepted = exchange.head.accept_encoding;
    if (!accepted || !accepts_gzip(*accepted)) return reply;
    reply.body = gzip(reply.body);
    reply.add_header("Content-Encoding", "gzip");
    return reply;
}

}  // namespace fencegate::proxy
