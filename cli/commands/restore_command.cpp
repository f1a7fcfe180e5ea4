#include "cli/commands/restore_command.hpp"

#include "base/clock.hpp"
#include "cli/commands/key_command.hpp"
#include "storage/sqlite/incarnation.hpp"

#include <cstdio>

namespace fencegate::cli {

namespace {

void print(const storage::Restored& restored) {
    if (restored.is_finished_late)
        std::printf("A restore that was interrupted before is finished now.\n");
    if (!restored.kept.empty())
        std::printf("The store as it was is kept as %s.\n", restored.kept.c_str());
    if (restored.generations_behind > 0)
        std::printf(
            "The store is %s: it was written to in at least as many quarters of a second since. "
            "What was acknowledged then is not in it.\n",
            storage::sqlite::describe_behind(restored.generations_behind).c_str());
    if (restored.pages_resealed > 0)
        std::printf(
            "%lld pages lacked their seal and were taken as they are: another program "
            "wrote them, or they are damaged. "
            "The store verifies as sound.\n",
            static_cast<long long>(restored.pages_resealed));
    if (!restored.lost.empty())
        std::printf(
            "Lost: %s. What is behind the damage is not in the store. What can be read of it is "
            "saved into a new folder by: fencegate salvage --from %s --to NEW-FOLDER\n",
            restored.lost.c_str(), restored.kept.c_str());
    if (!restored.unknown.empty())
        std::printf(
            "Not known: %s. What was acknowledged since its last checkpoint may be missing.\n",
            restored.unknown.c_str());
    std::printf(
        "Epoch %lld: every token from now on is higher than any before. %lld live leases were "
        "ended.\n"
        "Note the epoch: if this folder is ever lost and a backup from before now is put back "
        "elsewhere, restore it with --epoch-above %lld.\n",
        static_cast<long long>(restored.epoch), static_cast<long long>(restored.leases_ended),
        static_cast<long long>(restored.epoch));
    std::fflush(stdout);
}

}  // namespace

ExitCode run(const RestoreCommand& command) {
    const auto restored = storage::restore_store(command.options, SystemClock().wall_now(), print);
    return restored ? ExitCode::Ok : report(restored.error());
}

}  // namespace fencegate::cli
