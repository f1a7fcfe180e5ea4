#include "cli/commands/salvage_command.hpp"

#include "cli/client/printable.hpp"
#include "cli/commands/key_command.hpp"
#include "storage/sqlite/incarnation.hpp"

#include <cstdio>

namespace fencegate::cli {
namespace {

long long number(std::int64_t value) { return static_cast<long long>(value); }

void print_losses(const storage::Salvaged& salvaged) {
    if (salvaged.commits_lost > 0)
        std::printf("Lost: commits behind them that are not in it: %lld.\n",
                    number(salvaged.commits_lost));
    if (salvaged.generations_behind > 0)
        std::printf(
            "Lost: it is %s. What was acknowledged since is neither in the store nor in its log.\n",
            storage::sqlite::describe_behind(salvaged.generations_behind).c_str());
    if (!salvaged.unknown.empty()) std::printf("Not known: %s.\n", salvaged.unknown.c_str());
    for (const auto page : salvaged.pages_lost)
        std::printf("Lost: the newest image of page %u was damaged and not written again.\n", page);
    for (const auto& check : salvaged.report.checks) {
        if (check.faults == 0) continue;
        std::printf("BAD: %s: %lld faults.\n", std::string(check.name).c_str(),
                    number(check.faults));
        for (const auto& line : check.first) std::printf("     %s\n", printable(line).c_str());
    }
}

}  // namespace

ExitCode run(const SalvageCommand& command) {
    const auto salvaged = storage::salvage_store(command.options);
    if (!salvaged) return report(salvaged.error());
    std::printf(
        "%s: commits of the log that are in it: %lld. Frames read from the log: %lld, healed: "
        "%lld, damaged and left out: %lld.\n",
        salvaged->file.c_str(), number(salvaged->commits), number(salvaged->frames),
        number(salvaged->healed), number(salvaged->dropped));
    print_losses(*salvaged);
    const bool is_whole = salvaged->is_whole();
    std::printf(
        "%s The old store was not changed. Before the new one serves, run: fencegate "
        "restore --data-dir %s\n",
        is_whole ? "Nothing is lost that the log held, and the new store is sound."
                 : "The new store is NOT what the old one was.",
        command.options.to.c_str());
    return is_whole ? ExitCode::Ok : ExitCode::NotSound;
}

}  // namespace fencegate::cli
