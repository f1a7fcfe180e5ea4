#pragma once
// `fencegate restore`: puts a backup in place, or takes over a store that was copied.
// Thread rule: one thread.

#include "cli/commands/exit_code.hpp"
#include "cli/commands/options.hpp"

namespace fencegate::cli {

ExitCode run(const RestoreCommand& command);

}  // namespace fencegate::cli
