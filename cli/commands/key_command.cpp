#include "cli/commands/key_command.hpp"

#include "base/clock.hpp"
#include "base/random.hpp"
#include "proxy/access/key_file.hpp"

#include <cstdio>

namespace fencegate::cli {
namespace {

constexpr const char* kReloadHint =
    "A running gateway learns of this when it reloads: send it SIGHUP.\n";

std::string joined(const std::vector<std::string>& texts) {
    std::string line;
    for (const auto& text : texts) line.append(line.empty() ? "" : ",").append(text);
    return line;
}

}  // namespace

ExitCode report(const Error& error) {
    std::fprintf(stderr, "fencegate: %s\n", error.detail.c_str());
    return exit_code_of(error);
}

ExitCode run(const KeyAddCommand& command) {
    SystemRandom random;
    const auto key =
        proxy::add_key(command.data_dir, command.principal, random, SystemClock().wall_now());
    if (!key) return report(key.error());
    std::printf("%s\n", key->c_str());
    std::fprintf(stderr, "This key is shown only now. %s", kReloadHint);
    return ExitCode::Ok;
}

ExitCode run(const KeyListCommand& command) {
    const auto records = proxy::list_keys(command.data_dir);
    if (!records) return report(records.error());
    std::printf("%-12s  %-24s  %-20s  %s\n", "ID", "CREATED", "PRINCIPAL", "SCOPES");
    for (const auto& record : *records) {
        std::printf("%-12s  %-24s  %-20s  %s\n", proxy::to_string(record.id).c_str(),
                    record.created_at.c_str(), record.principal.name.c_str(),
                    joined(proxy::to_texts(record.principal.scopes)).c_str());
    }
    return ExitCode::Ok;
}

ExitCode run(const KeyRevokeCommand& command) {
    const auto revoked = proxy::revoke_key(command.data_dir, command.id);
    if (!revoked) return report(revoked.error());
    std::fprintf(stderr, "Revoked %s. %s", proxy::to_string(command.id).c_str(), kReloadHint);
    return ExitCode::Ok;
}

}  // namespace fencegate::cli
