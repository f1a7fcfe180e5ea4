#pragma once
// The command line as a value: one struct a command, no effect yet.
// Owns: option names, help texts and their syntax. Refuses to own: what a command does.
// Thread rule: plain values.

#include "base/log.hpp"
#include "cli/client/connection_options.hpp"
#include "cli/commands/exit_code.hpp"
#include "proxy/access/credentials.hpp"
#include "proxy/config/config.hpp"
#include "storage/copies/restore.hpp"
#include "storage/copies/salvage.hpp"
#include "storage/verify/verify.hpp"

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>

namespace fencegate::cli {

// Options that are given win over the file; the rest stays as the file or the default has it.
struct ServeCommand {
    std::optional<std::filesystem::path> config_file;
    std::optional<std::filesystem::path> data_dir;
    std::optional<proxy::Endpoint> listen;
    std::optional<proxy::Endpoint> admin_listen;
    std::optional<std::filesystem::path> ready_file;
    std::optional<std::string> access_log;
    std::optional<LogFormat> log_format;
};

struct ConfigCheckCommand {
    std::filesystem::path file;
};

struct KeyAddCommand {
    std::filesystem::path data_dir;
    proxy::Principal principal;
};

struct KeyListCommand {
    std::filesystem::path data_dir;
};

struct KeyRevokeCommand {
    std::filesystem::path data_dir;
    proxy::KeyId id;
};

struct RestoreCommand {
    storage::RestoreOptions options;
};

struct SalvageCommand {
    storage::SalvageOptions options;
};

struct TopCommand {
    ConnectionOptions connection;
    std::string prefix{};  // of the locks that are watched; "": all
    bool is_once = false;  // one picture as plain text
};

struct BackupCommand {
    ConnectionOptions connection;
};

struct VerifyCommand {
    std::filesystem::path file;                 // unless a gateway is asked
    std::optional<ConnectionOptions> online{};  // a running gateway, for the store it serves
    std::optional<storage::JournalHead> expected_head{};
    bool is_json = false;
};

struct VersionCommand {};

using Command = std::variant<ServeCommand, ConfigCheckCommand, KeyAddCommand, KeyListCommand,
                             KeyRevokeCommand, RestoreCommand, SalvageCommand, BackupCommand,
                             VerifyCommand, TopCommand, VersionCommand>;

// The command, or the code to exit with at once: help was asked for (Ok) and is printed, or the
// line is wrong (Usage) and the reason is printed.
[[nodiscard]] std::expected<Command, ExitCode> parse_command_line(int argc,
                                                                  const char* const* argv);

}  // namespace fencegate::cli
