#pragma once
// `fencegate top`: locks, holders, waiters, expiries and refusals of a running gateway, live.
// Owns: the loop between feed, model, view and terminal. With --once, or where there is no
// terminal, one picture as plain text. Thread rule: main thread; the feed has one of its own.

#include "cli/commands/exit_code.hpp"
#include "cli/commands/options.hpp"

namespace fencegate::cli {

[[nodiscard]] ExitCode run(const TopCommand& command);

}  // namespace fencegate::cli
