#pragma once
// The survey of a log: reads every frame of it, also those behind one that does not check, which
// SQLite would take for nothing, and tells a damaged log from the torn end of a power cut.
//
// Every commit is synced before the next begins. So what a power cut tears belongs to the last
// commit, which nobody was told of; a frame that does not check with a later commit behind it was
// whole once. Of the last commit itself only the tail note knows (tail_note.hpp).
// Thread rule: reads a file that nobody writes. Errors: CannotRead.

#include "base/result.hpp"
#include "storage/sqlite/tail_note.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace fencegate::storage::sqlite {

struct LogDamage {
    enum class Kind : std::uint8_t {
        Frame,    // one does not check
        Header,   // the first 32 bytes are none, but frames follow
        Cut,      // it ends before what was durable
        Missing,  // there is none, or an empty one
        Other,    // it is another log: put back, or of another store
        Foreign,  // it is sound, and the store beside it is older than where it began
        Unnoted,  // none is seen, but the note is gone that would tell of a log cut at its end
    };
    Kind kind = Kind::Frame;
    std::int64_t frame = 0;        // the first that does not check
    std::int64_t frames_good = 0;  // before it, up to the end of a commit
    std::int64_t commits_good = 0;
    std::int64_t frames_behind = 0;  // that stand intact behind it, as far as that can be said
    std::int64_t commits_behind = 0;
    std::int64_t frames_noted = 0;  // that were durable once; 0: not known
    std::int64_t commits_noted = 0;
    bool is_noted_copied = false;  // everything that is noted was in the store without its log
    bool is_copied = false;        // the same, and the log that is there is the noted one
};

struct LogSurvey {
    std::int64_t bytes = 0;  // 0: there is none
    std::optional<LogHeader> header{};
    std::int64_t frames = 0;  // that check, up to the end of the last commit
    std::int64_t commits = 0;
    std::int64_t pages = 0;  // of the store, as of that commit; 0: there is none
    std::optional<LogDamage> damage{};
};

// Fails with: StartFailure CannotRead.
[[nodiscard]] Result<LogSurvey> survey_log(const std::filesystem::path& store_file);

// What is damaged, in numbers. Begins with a small letter and ends without a full stop.
[[nodiscard]] std::string describe(const LogDamage& damage);

// One frame of a log as it lies there, with what can be said about it.
struct SeenFrame {
    std::int64_t number;
    FrameHeader header;
    Bytes header_bytes;
    Bytes page;
    LogChecksum
        before;  // what its checksum goes on from, as far as the frame before can be trusted
    bool checks;
    bool has_salts;  // this log's, to the bit: SQLite reads on only behind such a one
    // It was written into this log: it has its salts, but for one bit, or goes on from frames that
    // were. What is not is damaged beyond that, or is left of a log that this one was written over:
    // such frames check among themselves and are older than the store.
    bool is_ours;
};
// Every frame that the file holds in full, in order. Nothing if there is no log.
// `page_bytes`: of the header, or what it must have been.
[[nodiscard]] Result<> walk_log(const std::filesystem::path& log_file,
                                const std::function<void(const SeenFrame&)>& visit);

}  // namespace fencegate::storage::sqlite
