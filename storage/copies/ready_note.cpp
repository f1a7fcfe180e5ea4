#include "storage/copies/ready_note.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/folder_survey.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

namespace fencegate::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytesMax = 65'536;

fs::path note_in(const fs::path& folder) {
    return sqlite::restoring_in(folder) / sqlite::kReadyFile;
}

// One a line; a name may hold a line end, a text never does.
std::string without_line_ends(std::string text) {
    std::ranges::replace(text, '\n', '?');
    return text;
}

std::array<std::int64_t*, 6> numbers_of(ReadyNote& note) {
    auto& [restored, mark] = note;
    return {&restored.epoch,
            &restored.leases_ended,
            &restored.generations_behind,
            &restored.pages_resealed,
            &mark.epoch,
            &mark.generation};
}

std::string_view next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

}  // namespace

Result<> write_ready_note(const fs::path& folder, const ReadyNote& note) {
    std::string text;
    auto copy = note;
    for (const auto* number : numbers_of(copy)) text += std::to_string(*number) + '\n';
    for (const auto& line :
         {note.restored.kept.filename().string(), note.restored.lost, note.restored.unknown})
        text += without_line_ends(line) + '\n';
    if (auto done = write_file_atomically(note_in(folder), text, FileMode::Secret); !done)
        return done;
    return sync_path(folder);
}

Result<std::optional<ReadyNote>> read_ready_note(const fs::path& folder) {
    std::error_code ec;
    if (!fs::exists(note_in(folder), ec)) return std::nullopt;
    const auto text = read_file(note_in(folder), kBytesMax);
    if (!text) return std::unexpected(text.error());
    std::string_view rest = *text;
    ReadyNote note;
    for (auto* number : numbers_of(note)) {
        const auto line = next_line(rest);
        const auto* end = line.data() + line.size();
        if (const auto read = std::from_chars(line.data(), end, *number);
            read.ec != std::errc() || read.ptr != end)
            return fail_start(StartFailure::BadData,
                              note_in(folder).string() +
                                  " is damaged. It says how a restore is finished. Put the copy "
                                  "that store.db.replaced-TIME is, with its log and note, back in "
                                  "the place of store.db, remove the folder of that file, and "
                                  "restore again.");
    }
    if (const auto kept = next_line(rest); !kept.empty()) note.restored.kept = folder / kept;
    note.restored.lost = next_line(rest);
    note.restored.unknown = next_line(rest);
    return note;
}

}  // namespace fencegate::storage
