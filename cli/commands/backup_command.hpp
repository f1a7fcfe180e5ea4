#pragma once
// `fencegate backup`: asks the running gateway for a backup and waits until it is on the disk. The
// name of the file goes to standard output, everything else to standard error.
// Thread rule: one thread.

#include "cli/commands/exit_code.hpp"
#include "cli/commands/options.hpp"

namespace fencegate::cli {

// A backup goes on when this is interrupted; `GET /backups` tells what became of it.
ExitCode run(const BackupCommand& command);

}  // namespace fencegate::cli
