#include "cli/commands/backup_command.hpp"

#include "cli/client/copy_documents.hpp"
#include "cli/client/https_client.hpp"
#include "cli/commands/key_command.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <poll.h>
#include <unistd.h>

namespace fencegate::cli {
namespace {

namespace json = boost::json;

Result<json::object> take_backup(HttpsClient& client) {
    auto status = document_of(client.post("/backups"));
    if (!status) return status;
    const auto target = "/backups/" + text_of(*status, "name");
    for (;;) {
        const auto state = text_of(*status, "state");
        if (state == "done") return status;
        if (state == "failed") return failure_in(*status, "The backup failed");
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
