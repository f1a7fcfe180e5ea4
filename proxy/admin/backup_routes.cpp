#include "proxy/admin/backup_routes.hpp"

#include "base/json_writer.hpp"
#include "proxy/http/query_parameters.hpp"

namespace fencegate::proxy {
namespace {

using storage::BackupState;
using storage::BackupStatus;
using storage::Verification;

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

template <class Task>
Result<Asked> build_show(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {});
    if (!known) return std::unexpected(known.error());
    return Task{};
}

Result<Asked> build_backup(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {});
    if (!known) return std::unexpected(known.error());
    if (!request.body.empty()) return fail(ErrorCode::InvalidArgument, "A backup takes no body.");
    return BeginBackup{};
}

Result<Asked> build_show_backup(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {});
    if (!known) return std::unexpected(known.error());
    return ShowBackup{std::string(request.parameters[0])};
}

Result<Asked> build_verification(const RouteRequest& request) {
    const auto known = check_parameters(request.target, {"expect_head"});
    if (!known) return std::unexpected(known.error());
    if (!request.body.empty())
        return fail(ErrorCode::InvalidArgument, "A verification takes no body.");
    BeginVerification task;
    if (const auto text = request.target.parameter("expect_head")) {
        task.expected = storage::parse_journal_head(*text);
        if (!task.expected)
            return fail(ErrorCode::InvalidArgument,
                        "expect_head must be ID:SEAL as a report's head is written.");
    }
    return task;
}

constexpr Route kRoutes[] = {
    {"GET", "/backups", Scope::Admin, build_show<ListBackups>},
    {"POST", "/backups", Scope::Admin, build_backup},
    {"GET", "/backups/{name}", Scope::Admin, build_show_backup},
    {"GET", "/verify", Scope::Admin, build_show<ShowVerification>},
    {"POST", "/verify", Scope::Admin, build_verification},
};

}  // namespace

std::span<const Route> backup_routes() noexcept { return kRoutes; }

Result<Reply> BackupRoutes::carry_out(const BackupTask& task) {
    return std::visit([this](const auto& one) { return answer(one); }, task);
}

Result<Reply> BackupRoutes::answer(const ListBackups&) const {
    Reply reply;
    JsonWriter json(reply.body);
    json.begin_object().key("backups").begin_array();
    for (const auto& status : backups_.list()) write(json, status);
    json.end_array().end_object();
    return reply;
}

Result<Reply> BackupRoutes::answer(const BeginBackup&) {
    const auto begun = backups_.begin(engine_);
    if (!begun) return std::unexpected(begun.error());
    auto reply = document(*begun);
    reply.status = 202;
    reply.add_header("Location", "/backups/" + begun->name);
    return reply;
}

Result<Reply> BackupRoutes::answer(const ShowBackup& task) const {
    const auto found = backups_.find(task.name);
    if (!found) return std::unexpected(found.error());
    return document(*found);
}

Result<Reply> BackupRoutes::answer(const ShowVerification&) const {
    return document(backups_.verifications());
}

Result<Reply> BackupRoutes::answer(const BeginVerification& task) {
    const auto begun = backups_.begin_verification(engine_, task.expected);
    if (!begun) return std::unexpected(begun.error());
    auto reply = document({.running = *begun});
    reply.status = 202;
    reply.add_header("Location", "/verify");
    return reply;
}

}  // namespace fencegate::proxy
