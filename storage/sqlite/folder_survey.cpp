#include "storage/sqlite/folder_survey.hpp"

#include "base/start_failure.hpp"
#include "storage/sqlite/incarnation.hpp"

namespace fencegate::storage::sqlite {
namespace {

namespace fs = std::filesystem;

bool has_content(const fs::path& file) {
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    return !ec && size > 0;
}

}  // namespace

Result<FolderSurvey> survey_folder(const fs::path& folder) {
    const auto file = folder / "store.db";
    auto log = survey_log(file);
    if (!log) return std::unexpected(log.error());
    FolderSurvey survey{.has_store = has_content(file),
                        .is_remembered = has_content(folder / "store.lock"),
                        .log = *std::move(log)};
    survey.had_store = survey.is_remembered || survey.log.bytes > 0 ||
                       read_mark(folder).generation > 0 || read_tail_note(file).has_value();
    return survey;
}

Result<> refuse_what_is_lost(const FolderSurvey& survey, const fs::path& folder) {
    const auto file = folder / "store.db";
    const auto& log = survey.log;
    if (!survey.has_store && survey.had_store) {
        const auto kept = log.bytes == 0
                              ? std::string()
                              : " Its log is there, with " + std::to_string(log.commits) +
                                    " commits that are nowhere else: if the store was moved away, "
                                    "move it back beside it.";
        return fail_start(StartFailure::BadData,
                          "The store " + file.string() +
                              " is missing or empty, but this folder had one." + kept +
                              " Nothing was changed. A new store would issue old tokens again: "
                              "put a backup in its place with fencegate restore --from, or start "
                              "in an empty folder.");
    }
    if (!log.damage) return {};
    if (log.damage->is_copied)
        return fail_start(StartFailure::BadData,
                          "The store in " + folder.string() +
                              " does not serve: " + describe(*log.damage) +
                              ". All of it is in the store as well. Nothing was changed. Run: "
                              "fencegate restore --data-dir " +
                              folder.string());
    return fail_start(
        StartFailure::BadData,
        "The store in " + folder.string() + " does not serve: " + describe(*log.damage) +
            ". What was acknowledged there is not in the store without its log. Nothing was "
            "changed. If the log was moved or put back, put the newest in its place. What can be "
            "read of it is saved into a new folder by: fencegate salvage --data-dir " +
            folder.string() +
            " --to NEW-FOLDER. What is behind the damage is given up by: "
            "fencegate restore --data-dir " +
            folder.string());
}

Traces::Traces(const fs::path& folder, std::initializer_list<const char*> names) {
    std::error_code ec;
    for (const char* name : names) {
        auto path = folder / name;
        if (fs::symlink_status(path, ec).type() == fs::file_type::not_found)
            fresh_.push_back(std::move(path));
    }
}

Traces::~Traces() { remove(); }

void Traces::keep_written() {
    std::erase_if(fresh_, [](const fs::path& path) {
        std::error_code ec;
        return fs::is_regular_file(path, ec) && fs::file_size(path, ec) > 0 && !ec;
    });
}

void Traces::remove() {
    std::error_code ignored;
    for (const auto& path : fresh_) fs::remove(path, ignored);
    fresh_.clear();
}

}  // namespace fencegate::storage::sqlite
