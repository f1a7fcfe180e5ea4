#pragma once
// The survey of a data folder: what lies in it, looked at before SQLite opens anything. SQLite
// deletes the log of a store that is missing or empty and takes a damaged one for a shorter one, so
// who looks with SQLite has already decided. Everybody who opens a store asks this first.
// Changes nothing. Thread rule: the folder's lock is held, or nobody writes there.

#include "base/result.hpp"
#include "storage/sqlite/log_survey.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fencegate::storage::sqlite {

// A file that was cut: of the pages that the store has, some are neither in it nor in its log.
struct ShortStore {
    std::int64_t pages_expected = 0;
    std::int64_t pages_found = 0;  // in the file
    std::int64_t pages_lost = 0;
};

struct FolderSurvey {
    bool has_store = false;      // store.db is there, with something in it
    bool had_store = false;      // there was one: its lock, marks, log or tail note say so
    bool is_remembered = false;  // the lock says so
    LogSurvey log{};
    std::optional<ShortStore> cut{};
};

// That each part of a store that is there is what it must be: a file, or the folder of the marks. A
// link leads SQLite to another log than ours; a folder or a pipe could not be read, or not be
// written once half of a start or restore is done.
// Fails with: StartFailure BadData, naming the part.
[[nodiscard]] Result<> refuse_odd_parts(const std::filesystem::path& folder);

// Where a restore makes the next store of a folder ready, and the file in it that says that it is,
// and that names are being changed: from then on only a restore may touch the folder.
[[nodiscard]] std::filesystem::path restoring_in(const std::filesystem::path& folder);
inline constexpr const char* kReadyFile = "ready";
// Fails with: StartFailure BadData.
[[nodiscard]] Result<> refuse_if_restoring(const std::filesystem::path& folder);

// survey_log(), and what the folder knows besides: a store that was served here has a tail note.
// One that is gone is damage, because a log that was cut at its end looks like a shorter one
// without it. A file that is not its folder's store.db had one if there is something in its place.
// Fails with: StartFailure CannotRead.
[[nodiscard]] Result<LogSurvey> survey_log_in_folder(const std::filesystem::path& store_file);

// Fails with: StartFailure CannotRead.
[[nodiscard]] Result<FolderSurvey> survey_folder(const std::filesystem::path& folder);

// Fails with: StartFailure BadData, saying how many pages there were, are, and are lost.
[[nodiscard]] Result<> refuse_if_cut(const FolderSurvey& survey,
                                     const std::filesystem::path& folder);

// Fails with: StartFailure BadData: the store was put under a log that is not its own.
[[nodiscard]] Result<> refuse_if_foreign(const FolderSurvey& survey,
                                         const std::filesystem::path& folder);

// Fails with: StartFailure BadData, saying what is missing or damaged, in numbers, and what to run.
[[nodiscard]] Result<> refuse_what_is_lost(const FolderSurvey& survey,
                                           const std::filesystem::path& folder);

// What a command that fails has made, and removes again: files that were not there when this was
// made. Thread rule: as above.
class Traces {
public:
    Traces(const std::filesystem::path& folder, const std::vector<std::string>& names);
    ~Traces();
    Traces(const Traces&) = delete;
    Traces& operator=(const Traces&) = delete;

    // The command has succeeded, or what it made is worth keeping.
    void keep() noexcept { fresh_.clear(); }
    // What has something in it stays.
    void keep_written();
    // At once.
    void remove();

private:
    std::vector<std::filesystem::path> fresh_;
};

}  // namespace fencegate::storage::sqlite
