#include "cli/backup_command.hpp"

#include "base/start_failure.hpp"
#include "cli/https_client.hpp"
#include "cli/key_command.hpp"
#include "cli/printable.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <poll.h>
#include <unistd.h>

namespace fencegate::cli {
namespace {

namespace json = boost::json;

constexpr int kLookMs = 200;

std::string text_of(const json::object& document, std::string_view name) {
    const auto* value = document.if_contains(name);
    return value != nullptr && value->is_string() ? printable(value->get_string()) : std::string();
}

long long number_of(const json::object& document, std::string_view name) {
    const auto* value = document.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

// The document of a 2xx. What is to be done about some refusals is known here.
Result<json::object> document_of(const Result<HttpReply>& reply) {
    if (!reply) return std::unexpected(reply.error());
    if (reply->status == 409) return fail_start(StartFailure::InUse, refusal_of(*reply).detail);
    if (reply->status == 507)
        return fail_start(StartFailure::CannotCreate, refusal_of(*reply).detail);
    if (reply->status / 100 != 2) return std::unexpected(refusal_of(*reply));
    boost::system::error_code ec;
    auto parsed = json::parse(reply->body, ec);
    if (ec || !parsed.is_object())
        return fail_start(StartFailure::Unavailable, "The answer is not of a fencegate gateway.");
    return std::move(parsed.get_object());
}

void show_progress(const json::object& status) {
    const auto total = number_of(status, "pages_total");
    if (total == 0 || ::isatty(STDERR_FILENO) == 0) return;
    const auto done = number_of(status, "pages_done");
    std::fprintf(stderr, "\r%s %3lld %%", text_of(status, "state").c_str(), done * 100 / total);
}

Result<json::object> take_backup(HttpsClient& client) {
    auto status = document_of(client.post("/backups"));
    if (!status) return status;
    const auto target = "/backups/" + text_of(*status, "name");
    for (;;) {
        const auto state = text_of(*status, "state");
        if (state == "done") return status;
        if (state == "failed")
            return fail_start(text_of(*status, "code") == "store_full" ? StartFailure::CannotCreate
                                                                       : StartFailure::Unavailable,
                              "The backup failed: " + text_of(*status, "detail"));
        show_progress(*status);
        ::poll(nullptr, 0, kLookMs);
        status = document_of(client.get(target));
        if (!status) return status;
    }
}

}  // namespace

ExitCode run(const BackupCommand& command) {
    auto connection = admin_connection(command.connection);
    if (!connection) return report(connection.error());
    HttpsClient client(*std::move(connection));
    const auto status = take_backup(client);
    if (::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r");
    if (!status) return report(status.error());
    std::fprintf(stderr, "%lld bytes in %lld ms: epoch %lld, up to token %lld and transfer %lld.\n",
                 number_of(*status, "bytes"), number_of(*status, "took_ms"),
                 number_of(*status, "epoch"), number_of(*status, "last_token"),
                 number_of(*status, "last_transfer"));
    std::printf("%s\n", text_of(*status, "file").c_str());
    return ExitCode::Ok;
}

}  // namespace fencegate::cli
