#include "storage/copies/half_copied.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/log_survey.hpp"
#include "storage/sqlite/page_seal.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unistd.h>

namespace fencegate::storage {
namespace {

using sqlite::kFilePageBytes;
using sqlite::kSealBytes;

// What the log has of a page, held against the page in the store.
struct Page {
    bool is_before = false;  // it is as of the last frame before the damage
    bool is_behind = false;  // it is as of a frame behind the damage
    bool is_last = false;    // it is as of its last frame
};

bool is_in_store(const Descriptor& store, const sqlite::SeenFrame& frame) {
    std::array<std::uint8_t, kFilePageBytes> page{};
    const auto at = (std::int64_t{frame.header.page} - 1) * std::int64_t{kFilePageBytes};
    if (frame.page.size() != page.size() ||
        ::pread(store.get(), page.data(), page.size(), at) != static_cast<::ssize_t>(page.size()))
        return false;
    return std::equal(page.begin(), page.end() - kSealBytes, frame.page.begin());  // sealed since
}

// `frames_good`: that can be read of the log, before its damage.
Result<bool> is_half_copied(const std::filesystem::path& store_file, std::int64_t frames_good) {
    const auto store = open_to_read(store_file);
    std::map<std::uint32_t, Page> pages;
    const auto walked =
        sqlite::walk_log(sqlite::log_of(store_file), [&](const sqlite::SeenFrame& frame) {
            if (!frame.is_ours) return;
            auto& page = pages[frame.header.page];
            page.is_last = is_in_store(store, frame);
            if (frame.number <= frames_good)
                page.is_before = page.is_last;
            else if (page.is_last)
                page.is_behind = true;
        });
    if (!walked) return std::unexpected(walked.error());
    const auto is_begun = std::ranges::any_of(
        pages, [](const auto& page) { return page.second.is_behind && !page.second.is_before; });
    const auto is_done =
        std::ranges::all_of(pages, [](const auto& page) { return page.second.is_last; });
    return is_begun && !is_done;
}

}  // namespace

Result<> refuse_if_half_copied(const sqlite::FolderSurvey& survey,
                               const std::filesystem::path& folder) {
    const auto& damage = survey.log.damage;
    if (!damage || damage->is_copied) return {};
    const auto half = is_half_copied(folder / "store.db", survey.log.frames);
    if (!half) return std::unexpected(half.error());
    if (!*half) return {};
    return fail_start(StartFailure::BadData,
                      "The store in " + folder.string() + " is torn: " + sqlite::describe(*damage) +
                          ", and some of that was being copied into the store when the gateway "
                          "ended. Nothing was changed. What can be read is saved into a new folder "
                          "by fencegate salvage; or put a backup in its place with --from.");
}

}  // namespace fencegate::storage
