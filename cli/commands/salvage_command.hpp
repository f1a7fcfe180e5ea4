#pragma once
// `fencegate salvage`: makes a new store of one whose log is damaged, and says what is not in it.
// Thread rule: one thread.

#include "cli/commands/exit_code.hpp"
#include "cli/commands/options.hpp"

namespace fencegate::cli {

// Ok only if nothing is missing and the new store is sound; NotSound otherwise.
ExitCode run(const SalvageCommand& command);

}  // namespace fencegate::cli
