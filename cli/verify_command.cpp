#include "cli/verify_command.hpp"

#include "base/json_writer.hpp"
#include "cli/key_command.hpp"

#include <cstdio>
#include <string>
#include <unistd.h>

namespace fencegate::cli {
namespace {

void show_progress(const storage::VerifyProgress& progress) {
    std::fprintf(stderr, "\r%-8.*s %12lld", static_cast<int>(progress.stage.size()),
                 progress.stage.data(), static_cast<long long>(progress.done));
    if (progress.total > 0)
        std::fprintf(stderr, " of about %lld", static_cast<long long>(progress.total));
    std::fflush(stderr);
}

// Names in a damaged store may hold anything: what leads a terminal, and what is no UTF-8.
std::string harmless(std::string text) {
    for (auto& letter : text) {
        if (letter < ' ' || letter > '~') letter = '?';
    }
    return text;
}

void print_check(const storage::CheckResult& check) {
    std::printf("%-4s %-18.*s %12lld  %.*s\n", check.faults == 0 ? "ok" : "BAD",
                static_cast<int>(check.name.size()), check.name.data(),
                static_cast<long long>(check.looked_at), static_cast<int>(check.claim.size()),
                check.claim.data());
    if (check.faults == 0) return;
    for (const auto& line : check.first) std::printf("       %s\n", harmless(line).c_str());
    const auto more = check.faults - static_cast<std::int64_t>(check.first.size());
    if (more > 0) std::printf("       and %lld more\n", static_cast<long long>(more));
}

void print_table(const storage::VerifyReport& report) {
    std::printf("     %-18s %12s  what holds\n", "check", "looked at");
    for (const auto& check : report.checks) print_check(check);
    std::printf("head %s\n%s\n", storage::to_text(report.head).c_str(),
                report.is_sound() ? "The store is sound." : "The store is NOT sound.");
}

void print_json(const storage::VerifyReport& report) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .member_bool("sound", report.is_sound())
        .member("head", storage::to_text(report.head))
        .key("checks")
        .begin_array();
    for (const auto& check : report.checks) {
        json.begin_object()
            .member("name", check.name)
            .member("looked_at", check.looked_at)
            .member("faults", check.faults)
            .key("first")
            .begin_array();
        for (const auto& line : check.first) json.string(harmless(line));
        json.end_array().end_object();
    }
    json.end_array().end_object();
    std::printf("%s\n", text.c_str());
}

}  // namespace

ExitCode run(const VerifyCommand& command) {
    const bool is_watched = ::isatty(STDERR_FILENO) != 0;
    storage::VerifyOptions options{.expected_head = command.expected_head};
    if (is_watched) options.on_progress = show_progress;
    const auto report = storage::verify_store(command.file, options);
    if (is_watched) std::fprintf(stderr, "\r%48s\r", "");
    if (!report) return cli::report(report.error());
    command.is_json ? print_json(*report) : print_table(*report);
    return report->is_sound() ? ExitCode::Ok : ExitCode::NotSound;
}

}  // namespace fencegate::cli
