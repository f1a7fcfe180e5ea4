#pragma once
// Salvage: makes a new store of one whose log is damaged. SQLite reads a log up to the first frame
// that does not check; what was acknowledged behind it is still there. A frame holds a whole page,
// so a later image of the same page makes a damaged one unnecessary, and a single flipped bit is
// found by its checksum.
//
// The new store is as the old one was at a commit, exactly: at the last one at which no page is
// missing. What was committed behind that is counted, and the pages that were in the way are named.
// The old store is read and never written. The new one serves only after `fencegate restore`.
// Thread rule: any thread; nobody else has the folder.

#include "base/clock.hpp"
#include "base/result.hpp"
#include "storage/verify/verify.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage {

struct SalvageOptions {
    std::filesystem::path data_dir;
    std::filesystem::path to;  // a folder that is made
    // A store under another name, such as one that a restore has kept; nothing: that of `data_dir`.
    std::optional<std::filesystem::path> from{};
};

struct Salvaged {
    std::filesystem::path file{};
    std::int64_t frames = 0;                  // of the log that are in the new store
    std::int64_t healed = 0;                  // of them that had one flipped bit
    std::int64_t dropped = 0;                 // that are damaged
    std::int64_t commits = 0;                 // of the log that are in the new store
    std::int64_t commits_lost = 0;            // behind them, that the log or its note knows of
    std::vector<std::uint32_t> pages_lost{};  // whose newest image is damaged
    // How far the marks of its folder had come further, as in Restored. 0 of a file under another
    // name, which has none.
    std::int64_t generations_behind = 0;
    std::string unknown{};  // why nobody knows whether the log held more; empty: it did not
    VerifyReport report{};  // of the new store

    [[nodiscard]] bool is_whole() const noexcept {
        return commits_lost == 0 && pages_lost.empty() && generations_behind == 0 &&
               unknown.empty() && report.is_sound();
    }
};

// Fails with: StartFailure BadData (no store, or nothing that could be read), CannotRead,
// CannotCreate (also when `to` is there already), InUse (never of a file under another name: a
// gateway may serve beside it). Nothing is left of the new store then.
[[nodiscard]] Result<Salvaged> salvage_store(const SalvageOptions& options);

}  // namespace fencegate::storage
