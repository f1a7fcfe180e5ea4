// The `fencegate` program: parses the command line, runs one command, exits with its code.

#include "base/log.hpp"
#include "cli/commands/backup_command.hpp"
#include "cli/commands/exit_code.hpp"
#include "cli/commands/key_command.hpp"
#include "cli/commands/options.hpp"
#include "cli/commands/restore_command.hpp"
#include "cli/commands/salvage_command.hpp"
#include "cli/commands/verify_command.hpp"
#include "cli/top/command.hpp"
#include "proxy/config/config.hpp"
#include "proxy/gateway/run.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

namespace fencegate::cli {
namespace {

void apply(const ServeCommand& command, proxy::Config& config) {
    if (command.data_dir) config.data_dir = *command.data_dir;
    if (command.listen) config.listen = *command.listen;
    if (command.admin_listen) config.admin_listen = *command.admin_listen;
    if (command.ready_file) config.ready_file = *command.ready_file;
    if (command.access_log) config.access_log = *command.access_log;
    if (command.log_format) config.log_format = *command.log_format;
}

Result<proxy::Config> config_of(const ServeCommand& command) {
    auto config = command.config_file ? proxy::load_config(*command.config_file)
                                      : Result<proxy::Config>(proxy::Config());
    if (!config) return config;
    apply(command, *config);
    // Once more: an option may be at odds with the file.
    if (auto sound = proxy::check_config(*config); !sound) return std::unexpected(sound.error());
    return config;
}

// A service tells its log why it ends.
ExitCode log_end(const Log& log, const Error& error) {
    const auto code = exit_code_of(error);
    log.error(error.detail, {{"exit_code", std::int64_t{to_status(code)}}});
    return code;
}

ExitCode run(const ServeCommand& command) {
    const SystemClock clock;
    const auto config = config_of(command);
    if (!config)
        return log_end(Log(command.log_format.value_or(LogFormat::Text), clock), config.error());
    const Log log(config->log_format, clock);
    const auto served = proxy::run_gateway(*config, clock, log);
    return served ? ExitCode::Ok : log_end(log, served.error());
}

ExitCode run(const ConfigCheckCommand& command) {
    const auto config = proxy::load_config(command.file);
    if (!config) return report(config.error());
    std::printf("%s: ok\n", command.file.c_str());
    return ExitCode::Ok;
}

ExitCode run(const VersionCommand&) {
    std::printf("fencegate %s\n", FENCEGATE_VERSION);
    return ExitCode::Ok;
}

ExitCode run_command_line(int argc, const char* const* argv) {
    const auto command = parse_command_line(argc, argv);
    if (!command) return command.error();
    auto code = std::visit([](const auto& chosen) { return run(chosen); }, *command);
    // A key or list that reached nobody, e.g. because the disk is full, is not a success.
    if (std::fflush(stdout) != 0 && code == ExitCode::Ok) code = ExitCode::CannotCreate;
    return code;
}

}  // namespace
}  // namespace fencegate::cli

int main(int argc, char** argv) {
    using namespace fencegate::cli;
    // A file that may not grow (ulimit -f) is a full disk for every command, not its end.
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        return to_status(run_command_line(argc, argv));
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "fencegate: stopped by a fault of the program: %s\n", fault.what());
        return to_status(ExitCode::Internal);
    }
}
