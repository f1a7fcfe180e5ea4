#include "cli/restore_command.hpp"

#include "base/clock.hpp"
#include "cli/key_command.hpp"

#include <cstdio>

namespace fencegate::cli {

ExitCode run(const RestoreCommand& command) {
    const auto restored = storage::restore_store(command.options, SystemClock().wall_now());
    if (!restored) return report(restored.error());
    if (!restored->kept.empty())
        std::printf("The store that was there is kept as %s.\n", restored->kept.c_str());
    std::printf(
        "Epoch %lld: every token from now on is higher than any before. %lld live leases were "
        "ended.\n"
        "Note the epoch: if this folder is ever lost and a backup from before now is put back "
        "elsewhere, restore it with --epoch-above %lld.\n",
        static_cast<long long>(restored->epoch), static_cast<long long>(restored->leases_ended),
        static_cast<long long>(restored->epoch));
    return ExitCode::Ok;
}

}  // namespace fencegate::cli
