#pragma once
// `fencegate verify`: what was checked goes to standard output, as a table or as JSON; how far it
// is to a terminal on standard error.
// Thread rule: main thread.

#include "cli/commands/exit_code.hpp"
#include "cli/commands/options.hpp"

namespace fencegate::cli {

// NotSound if a check found a fault.
[[nodiscard]] ExitCode run(const VerifyCommand& command);

}  // namespace fencegate::cli
