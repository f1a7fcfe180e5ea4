#include "proxy/admin/backup_routes.hpp"

#include "base/json_writer.hpp"
#include "proxy/http/query_parameters.hpp"

namespace fencegate::proxy {
namespace {

using storage::BackupState;
using storage::BackupStatus;
using storage::Verification;

constexpr std::size_t kVerify = 3;  // of the labels

bool is_verify(const Target& target) {
    return !target.segments.empty() && target.segments.front() == "verify";
}

void write_progress(JsonWriter& json, const BackupStatus& status) {
    if (status.progress.pages_total == 0) return;
    json.member("pages_done", status.progress.pages_done)
        .member("pages_total", status.progress.pages_total)
        .member("took_ms", status.took.count());
}

void write_error(JsonWriter& json, const BackupStatus& status) {
    if (!status.error) return;
    json.member("code", code_name(status.error->code)).member("detail", status.error->detail);
}

void write_facts(JsonWriter& json, const BackupStatus& status) {
    json.member("epoch", status.facts.epoch)
        .member("last_token", status.facts.last_token ? status.facts.last_token->value() : 0)
        .member("last_transfer", status.facts.last_transfer);
}

void write(JsonWriter& json, const BackupStatus& status) {
    json.begin_object()
        .member("name", status.name)
        .member("file", status.file.string())
        .member("state", to_text(status.state))
        .member("started_at", rfc3339(status.started_at).text);
    write_progress(json, status);
    if (status.state == BackupState::Done) {
        json.member("bytes", status.facts.bytes);
        if (status.progress.pages_total > 0) write_facts(json, status);
    }
    write_error(json, status);
    json.end_object();
}

Reply document(const BackupStatus& status) {
    Reply reply;
    JsonWriter json(reply.body);
    write(json, status);
    return reply;
}

void write_members(JsonWriter& json, const Verification& of) {
    const auto& copy = of.copy;
    json.member("state", copy.state == BackupState::Syncing ? "checking" : to_text(copy.state))
        .member("started_at", rfc3339(copy.started_at).text);
    write_progress(json, copy);
    if (of.report) {
        write_facts(json, copy);
        storage::write_members(json, *of.report);
    }
    write_error(json, copy);
}

// The one that runs, with the one before it; else the last.
Reply document(const storage::Backups::Verifications& all) {
    Reply reply;
    JsonWriter json(reply.body);
    json.begin_object();
    if (all.running) write_members(json, *all.running);
    if (all.running && all.last) json.key("last").begin_object();
    if (all.last) write_members(json, *all.last);
    if (all.running && all.last) json.end_object();
    if (!all.running && !all.last) json.member("state", "none");
    json.end_object();
    return reply;
}

}  // namespace

bool BackupRoutes::serves(const Target& target) noexcept {
    return !target.segments.empty() && (target.segments.front() == "backups" || is_verify(target));
}

Result<std::size_t> BackupRoutes::match(std::string_view method, const Target& target) {
    if (target.segments.size() > 2)
        return fail(ErrorCode::RouteNotFound, "There is nothing below a backup.");
    const bool is_one = target.segments.size() == 2;
    if (is_verify(target) && is_one)
        return fail(ErrorCode::RouteNotFound, "There is nothing below /verify.");
    const std::size_t first = is_verify(target) ? kVerify : 0;
    if (is_one && method == "GET") return 2;
    if (!is_one && method == "GET") return first;
    if (!is_one && method == "POST") return first + 1;
    return fail(ErrorCode::MethodNotAllowed,
                is_one ? "This path takes GET." : "This path takes GET and POST.",
                {{"allow", std::string(is_one ? "GET" : "GET, POST")}});
}

Reply BackupRoutes::answer(const Exchange& exchange, std::string_view body) {
    if (is_verify(exchange.target)) return answer_verify(exchange, body);
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

Reply BackupRoutes::answer_verify(const Exchange& exchange, std::string_view body) {
    const bool begins = exchange.head.method == "POST";
    const auto known = begins ? check_parameters(exchange.target, {"expect_head"})
                              : check_parameters(exchange.target, {});
    if (!known) return refuse(known.error(), exchange.request_id);
    return begins ? begin_verification(exchange, body) : document(backups_.verifications());
}

Reply BackupRoutes::begin_verification(const Exchange& exchange, std::string_view body) {
    if (!body.empty())
        return refuse({ErrorCode::InvalidArgument, "A verification takes no body.", {}, -1},
                      exchange.request_id);
    std::optional<storage::JournalHead> expected;
    if (const auto text = exchange.target.parameter("expect_head")) {
        expected = storage::parse_journal_head(*text);
        if (!expected)
            return refuse({ErrorCode::InvalidArgument,
                           "expect_head must be ID:SEAL as a report's head is written.",
                           {},
                           -1},
                          exchange.request_id);
    }
    const auto begun = backups_.begin_verification(engine_, expected);
    if (!begun) return refuse(begun.error(), exchange.request_id);
    auto reply = document({.running = *begun});
    reply.status = 202;
    reply.add_header("Location", "/verify");
    return reply;
}

}  // namespace fencegate::proxy
