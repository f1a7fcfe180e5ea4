#include "proxy/backup_routes.hpp"

#include "base/json_writer.hpp"
#include "proxy/query_parameters.hpp"

namespace fencegate::proxy {
namespace {

using storage::BackupState;
using storage::BackupStatus;

void write(JsonWriter& json, const BackupStatus& status) {
    json.begin_object()
        .member("name", status.name)
        .member("file", status.file.string())
        .member("state", to_text(status.state))
        .member("started_at", rfc3339(status.started_at).text);
    if (status.progress.pages_total > 0) {
        json.member("pages_done", status.progress.pages_done)
            .member("pages_total", status.progress.pages_total)
            .member("took_ms", status.took.count());
    }
    if (status.state == BackupState::Done) {
        json.member("bytes", status.facts.bytes);
        if (status.progress.pages_total > 0) {
            json.member("epoch", status.facts.epoch)
                .member("last_token", status.facts.last_token)
                .member("last_transfer", status.facts.last_transfer);
        }
    }
    if (status.error) {
        json.member("code", code_name(status.error->code)).member("detail", status.error->detail);
    }
    json.end_object();
}

Reply document(const BackupStatus& status) {
    Reply reply;
    JsonWriter json(reply.body);
    write(json, status);
    return reply;
}

}  // namespace

bool BackupRoutes::serves(const Target& target) noexcept {
    return !target.segments.empty() && target.segments.front() == "backups";
}

Result<std::size_t> BackupRoutes::match(std::string_view method, const Target& target) {
    if (target.segments.size() > 2)
        return fail(ErrorCode::RouteNotFound, "There is nothing below a backup.");
    const bool is_one = target.segments.size() == 2;
    if (is_one && method == "GET") return 2;
    if (!is_one && method == "GET") return 0;
    if (!is_one && method == "POST") return 1;
    return fail(ErrorCode::MethodNotAllowed,
                is_one ? "This path takes GET." : "This path takes GET and POST.",
                {{"allow", std::string(is_one ? "GET" : "GET, POST")}});
}

Reply BackupRoutes::answer(const Exchange& exchange, std::string_view body) {
    const auto known = check_parameters(exchange.target, {});
    if (!known) return refuse(known.error(), exchange.request_id);
    if (exchange.head.method == "POST") return begin(exchange, body);
    return exchange.target.segments.size() == 2 ? find(exchange) : list();
}

Reply BackupRoutes::begin(const Exchange& exchange, std::string_view body) {
    if (!body.empty())
        return refuse({ErrorCode::InvalidArgument, "A backup takes no body.", {}, -1},
                      exchange.request_id);
    const auto begun = backups_.begin(engine_);
    if (!begun) return refuse(begun.error(), exchange.request_id);
    auto reply = document(*begun);
    reply.status = 202;
    reply.add_header("Location", "/backups/" + begun->name);
    return reply;
}

Reply BackupRoutes::list() const {
    Reply reply;
    JsonWriter json(reply.body);
    json.begin_object().key("backups").begin_array();
    for (const auto& status : backups_.list()) write(json, status);
    json.end_array().end_object();
    return reply;
}

Reply BackupRoutes::find(const Exchange& exchange) const {
    const auto found = backups_.find(std::string(exchange.target.segments.back()));
    return found ? document(*found) : refuse(found.error(), exchange.request_id);
}

}  // namespace fencegate::proxy
