#include "cli/commands/verify_command.hpp"

#include "base/json_writer.hpp"
#include "base/start_failure.hpp"
#include "cli/client/copy_documents.hpp"
#include "cli/client/printable.hpp"
#include "cli/commands/key_command.hpp"
#include "storage/sqlite/verify_store.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace fencegate::cli {
namespace {

namespace json = boost::json;

void show_row(const storage::VerifyProgress& progress) {
    std::fprintf(stderr, "\r%-8.*s %12lld", static_cast<int>(progress.stage.size()),
                 progress.stage.data(), static_cast<long long>(progress.done));
    if (progress.total > 0)
        std::fprintf(stderr, " of about %lld", static_cast<long long>(progress.total));
    std::fflush(stderr);
}

void print_check(const json::object& check) {
    const auto faults = number_of(check, "faults");
    std::printf("%-4s %-18s %12lld  %s\n", faults == 0 ? "ok" : "BAD",
                text_of(check, "name").c_str(), number_of(check, "looked_at"),
                text_of(check, "claim").c_str());
    const auto* first = check.if_contains("first");
    if (faults == 0 || first == nullptr || !first->is_array()) return;
    const auto& lines = first->get_array();
    for (const auto& line : lines) {
        if (line.is_string()) std::printf("       %s\n", printable(line.get_string()).c_str());
    }
    const auto more = faults - static_cast<long long>(lines.size());
    if (more > 0) std::printf("       and %lld more\n", more);
}

void print_table(const json::object& report, bool is_sound) {
    std::printf("     %-18s %12s  what holds\n", "check", "looked at");
    const auto* checks = report.if_contains("checks");
    if (checks != nullptr && checks->is_array()) {
        for (const auto& check : checks->get_array()) {
            if (check.is_object()) print_check(check.get_object());
        }
    }
    std::printf("head %s\n%s\n", text_of(report, "head").c_str(),
                is_sound ? "The store is sound." : "The store is NOT sound.");
}

// A report is one document, wherever it was made.
Result<json::object> verify_here(const VerifyCommand& command) {
    const bool is_watched = ::isatty(STDERR_FILENO) != 0;
    storage::VerifyOptions options{.expected_head = command.expected_head};
    if (is_watched) options.on_progress = show_row;
    const auto report = storage::verify_store(command.file, options);
    if (is_watched) std::fprintf(stderr, "\r%48s\r", "");
    if (!report) return std::unexpected(report.error());
    std::string text;
    JsonWriter writer(text);
    writer.begin_object();
    storage::write_members(writer, *report);
    writer.end_object();
    return json::parse(text).get_object();
}

// The one begun at that time: somebody may have asked for another since it was done.
Result<json::object> begun_at(const std::string& begun, const json::object& status) {
    if (text_of(status, "started_at") == begun) return status;
    const auto* last = status.if_contains("last");
    if (last != nullptr && last->is_object() && text_of(last->get_object(), "started_at") == begun)
        return last->get_object();
    return fail_start(StartFailure::Unavailable,
                      "The gateway knows nothing of this verification any more: it was started "
                      "anew.");
}

Result<json::object> verify_there(const VerifyCommand& command) {
    auto connection = admin_connection(*command.online);
    if (!connection) return std::unexpected(connection.error());
    HttpsClient client(*std::move(connection));
    std::string target = "/verify";
    if (command.expected_head) target += "?expect_head=" + to_text(*command.expected_head);
    auto status = document_of(client.post(target));
    if (!status) return status;
    const auto begun = text_of(*status, "started_at");
    for (;;) {
        const auto state = text_of(*status, "state");
        if (state == "done") return status;
        if (state == "failed") return failure_in(*status, "The verification failed");
        show_progress(*status);
        ::poll(nullptr, 0, kLookMs);
        const auto all = document_of(client.get("/verify"));
        if (!all) return all;
        status = begun_at(begun, *all);
        if (!status) return status;
    }
}

}  // namespace

ExitCode run(const VerifyCommand& command) {
    const auto report = command.online ? verify_there(command) : verify_here(command);
    if (command.online && ::isatty(STDERR_FILENO) != 0) std::fprintf(stderr, "\r");
    if (!report) return cli::report(report.error());
    const auto* sound = report->if_contains("sound");
    const bool is_sound = sound != nullptr && sound->is_bool() && sound->get_bool();
    if (command.is_json) {
        std::printf("%s\n", json::serialize(*report).c_str());
    } else {
        print_table(*report, is_sound);
    }
    return is_sound ? ExitCode::Ok : ExitCode::NotSound;
}

}  // namespace fencegate::cli
