#include "storage/sqlite/folder_survey.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/page_seal.hpp"

#include <array>
#include <set>
#include <string_view>
#include <unistd.h>

namespace fencegate::storage::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarks = "store.marks";

bool has_content(const fs::path& file) {
    std::error_code ec;
    const auto size = fs::file_size(file, ec);
    return !ec && size > 0;
}

// The pages that the file says it has, in SQLite's header; 0 where it says nothing.
std::int64_t pages_told(const fs::path& file) {
    constexpr std::size_t kChangesAt = 24;
    constexpr std::size_t kPagesAt = 28;
    constexpr std::size_t kValidForAt = 92;
    constexpr std::size_t kHeaderBytes = 100;
    std::array<char, kHeaderBytes> header{};
    const auto in = open_to_read(file);
    if (!in.is_open() ||
        ::pread(in.get(), header.data(), header.size(), 0) != static_cast<::ssize_t>(header.size()))
        return 0;
    const std::string_view bytes(header.data(), header.size());
    constexpr std::string_view kPageSize("\x10\x00", 2);  // 4096
    if (!bytes.starts_with("SQLite format 3") || bytes.substr(16, 2) != kPageSize) return 0;
    if (bytes.substr(kChangesAt, 4) != bytes.substr(kValidForAt, 4)) return 0;
    std::int64_t pages = 0;
    for (const char byte : bytes.substr(kPagesAt, 4))
        pages = pages << 8 | static_cast<unsigned char>(byte);
    return pages;
}

Result<std::optional<ShortStore>> find_cut(const fs::path& file, const LogSurvey& log) {
    std::error_code ec;
    const auto bytes = fs::file_size(file, ec);
    if (ec) return std::nullopt;
    const auto found = static_cast<std::int64_t>(bytes / kFilePageBytes);
    const auto expected = log.pages > 0 ? log.pages : pages_told(file);
    if (found >= expected) return std::nullopt;
    std::set<std::int64_t> logged;
    auto walked = walk_log(log_of(file), [&](const SeenFrame& frame) {
        const std::int64_t page = frame.header.page;
        if (frame.number <= log.frames && page > found && page <= expected) logged.insert(page);
    });
    if (!walked) return std::unexpected(walked.error());
    auto lost = expected - found - static_cast<std::int64_t>(logged.size());
    // SQLite writes nothing to that page.
    if (found < kLockingPage && kLockingPage <= expected) --lost;
    if (lost <= 0) return std::nullopt;
    return ShortStore{.pages_expected = expected, .pages_found = found, .pages_lost = lost};
}

// The seals and the note came with one version, and a start makes the note durable before it gives
// a store seals, remembers it in the lock or moves a mark. A file under another name had a note if
// there is one, whatever is in it.
bool must_have_note(const fs::path& file) {
    const auto folder = fs::absolute(file).parent_path();
    std::error_code ec;
    if (file.filename() != "store.db") return fs::exists(tail_note_of(file), ec);
    if (!has_content(folder / "store.lock") && read_mark(folder).generation == 0) return false;
    std::array<std::byte, kFilePageBytes> page{};
    const auto in = open_to_read(file);
    return ::pread(in.get(), page.data(), page.size(), 0) == std::ssize(page) &&
           has_room_for_seals(page);
}

// Of the store without its log; nullopt: it cannot be read, as in the middle of a copy.
std::optional<std::int64_t> generation_alone(const fs::path& store_file) {
    const auto opened = Connection::open_without_log(store_file);
    if (!opened) return std::nullopt;
    Statement look(**opened, "SELECT generation FROM store");
    auto row = look.query();
    if (!row.next() || (*opened)->failure()) return std::nullopt;
    return row.integer(0);
}

// The log speaks for the store by the rows in it: an older store under it looks like a newer one.
bool is_older_than_log(const fs::path& store_file, const LogSurvey& log) {
    const auto note = read_tail_note(store_file);
    if (!note || note->base == 0 || !log.header || log.header->salts != note->salts) return false;
    const auto alone = generation_alone(store_file);
    return alone && *alone < note->base;
}

}  // namespace

fs::path restoring_in(const fs::path& folder) { return folder / "store.db.restoring"; }

Result<> refuse_odd_parts(const fs::path& folder) {
    const auto refuse = [](const fs::path& part, const char* what) {
        return fail_start(StartFailure::BadData, part.string() + " is no " + what +
                                                     ". Nothing was changed. Move it away and put "
                                                     "back what was there.");
    };
    std::error_code ec;
    for (const auto* name : {"store.db", "store.db-wal", "store.db-journal", "store.db-tail"}) {
        const auto type = fs::symlink_status(folder / name, ec).type();
        if (type != fs::file_type::not_found && type != fs::file_type::regular)
            return refuse(folder / name, "plain file, but a link, a folder or something else");
    }
    const auto marks = folder / kMarks;
    const bool is_there = fs::symlink_status(marks, ec).type() != fs::file_type::not_found;
    if (is_there && !fs::is_directory(marks, ec)) return refuse(marks, "folder");
    return {};
}

Result<LogSurvey> survey_log_in_folder(const fs::path& store_file) {
    auto survey = survey_log(store_file);
    if (!survey) return survey;
    const bool is_foreign = is_older_than_log(store_file, *survey);
    const bool is_unnoted =
        !is_foreign && !survey->damage && !read_tail_note(store_file) && must_have_note(store_file);
    if (is_foreign || is_unnoted)
        survey->damage =
            LogDamage{.kind = is_foreign ? LogDamage::Kind::Foreign : LogDamage::Kind::Unnoted,
                      .frames_good = survey->frames,
                      .commits_good = survey->commits};
    return survey;
}

Result<FolderSurvey> survey_folder(const fs::path& folder) {
    const auto file = folder / "store.db";
    auto log = survey_log_in_folder(file);
    if (!log) return std::unexpected(log.error());
    FolderSurvey survey{.has_store = has_content(file),
                        .is_remembered = has_content(folder / "store.lock"),
                        .log = *std::move(log)};
    // A first start that was cut off leaves a store without tables, and a log without a commit.
    const bool has_log = survey.has_store ? survey.log.commits > 0 || survey.log.damage.has_value()
                                          : survey.log.bytes > 0;
    survey.had_store = survey.is_remembered || has_log || read_mark(folder).generation > 0 ||
                       read_tail_note(file).has_value();
    if (!survey.has_store) return survey;
    auto cut = find_cut(file, survey.log);
    if (!cut) return std::unexpected(cut.error());
    survey.cut = *cut;
    return survey;
}

Result<> refuse_if_cut(const FolderSurvey& survey, const fs::path& folder) {
    if (!survey.cut) return {};
    const auto& cut = *survey.cut;
    return fail_start(StartFailure::BadData,
                      "The store " + (folder / "store.db").string() + " was cut: it has " +
                          std::to_string(cut.pages_found) + " whole pages of " +
                          std::to_string(kFilePageBytes) + " bytes, and had " +
                          std::to_string(cut.pages_expected) + "; " +
                          std::to_string(cut.pages_lost) +
                          " of them are not in its log either. Nothing was changed. If a whole "
                          "copy of it is somewhere, put it in its place, or put a backup there "
                          "with fencegate restore --from.");
}

Result<> refuse_if_foreign(const FolderSurvey& survey, const fs::path& folder) {
    const auto& damage = survey.log.damage;
    if (!damage || damage->kind != LogDamage::Kind::Foreign) return {};
    return fail_start(StartFailure::BadData,
                      "The store in " + folder.string() + " does not serve: " + describe(*damage) +
                          ". Nothing was changed. Put back the store.db that was there, or put a "
                          "backup in its place with fencegate restore --from.");
}

Result<> refuse_if_restoring(const fs::path& folder) {
    std::error_code ec;
    if (!fs::exists(restoring_in(folder) / kReadyFile, ec)) return {};
    return fail_start(StartFailure::BadData,
                      "A restore of the store in " + folder.string() +
                          " was interrupted while it put the new store in place. Nothing was "
                          "changed. To finish it, run: fencegate restore --data-dir " +
                          folder.string());
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
    if (auto whole = refuse_if_cut(survey, folder); !whole) return whole;
    if (auto own = refuse_if_foreign(survey, folder); !own) return own;
    if (!log.damage) return {};
    if (log.damage->kind == LogDamage::Kind::Unnoted)
        return fail_start(StartFailure::BadData,
                          "The store in " + folder.string() +
                              " does not serve: " + describe(*log.damage) +
                              ". What was acknowledged since its last checkpoint may be missing. "
                              "Nothing was changed. If the note was moved, put it back. To serve "
                              "what is there, run: fencegate restore --data-dir " +
                              folder.string());
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
            ". Without its log the store may lack what was acknowledged. Nothing was "
            "changed. If the log was moved or put back, put the newest in its place. What can be "
            "read of it is saved into a new folder by: fencegate salvage --data-dir " +
            folder.string() +
            " --to NEW-FOLDER. What is behind the damage is given up by: "
            "fencegate restore --data-dir " +
            folder.string());
}

Traces::Traces(const fs::path& folder, const std::vector<std::string>& names) {
    std::error_code ec;
    for (const auto& name : names) {
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
