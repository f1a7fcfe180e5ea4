#pragma once
// `fencegate key add | list | revoke`: what they print and how they exit. Results go to stdout, so
// that `KEY=$(fencegate key add ...)` works; advice goes to stderr. Thread rule: main thread.

#include "cli/commands/exit_code.hpp"
#include "cli/commands/options.hpp"

namespace fencegate::cli {

[[nodiscard]] ExitCode run(const KeyAddCommand& command);
[[nodiscard]] ExitCode run(const KeyListCommand& command);
[[nodiscard]] ExitCode run(const KeyRevokeCommand& command);

// Prints the error for the operator and returns the code to exit with.
[[nodiscard]] ExitCode report(const Error& error);

}  // namespace fencegate::cli
