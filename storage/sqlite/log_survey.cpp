#include "storage/sqlite/log_survey.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/log_healing.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fencegate::storage::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kPageBytes = 4'096;  // of every store

std::unexpected<Error> cannot_read(const fs::path& file) {
    const std::string why = errno == EOPNOTSUPP ? "it is not a file" : std::strerror(errno);
    return fail_start(StartFailure::CannotRead, "Cannot read " + file.string() + ": " + why + ".");
}

class File {
public:
    explicit File(const fs::path& file) : descriptor_(open_to_read(file)) {}

    [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }
    // As much as there is.
    [[nodiscard]] bool read(std::span<std::uint8_t> into, std::int64_t at, std::size_t& got) const {
        got = 0;
        while (got < into.size()) {
            const auto now = ::pread(descriptor_.get(), into.data() + got, into.size() - got,
                                     at + static_cast<std::int64_t>(got));
            if (now < 0 && errno == EINTR) continue;
            if (now < 0) return false;
            if (now == 0) return true;
            got += static_cast<std::size_t>(now);
        }
        return true;
    }

private:
    Descriptor descriptor_;
};

bool is_one_bit_off(const LogSalts& left, const LogSalts& right) {
    return std::popcount(left.first ^ right.first) + std::popcount(left.second ^ right.second) <= 1;
}

// What is learned of a log while its frames go by.
class Reading {
public:
    explicit Reading(std::optional<TailNote> note) : note_(note) {}

    void see(const SeenFrame& frame) {
        if (is_whole_ && frame.checks && frame.has_salts) return count(frame);
        if (is_whole_) stop_at(frame);
        if (!frame.checks || !frame.is_ours) {
            is_commit_whole_ = false;
        } else {
            ++damage_.frames_behind;
            // Its commit had been synced when this frame was begun.
            if (was_commit_) is_proven_ = true;
            if (frame.header.is_commit() && is_commit_whole_) ++damage_.commits_behind;
        }
        was_commit_ = frame.is_ours && frame.header.is_commit();
        if (was_commit_) is_commit_whole_ = true;
    }

    [[nodiscard]] std::int64_t frames() const { return damage_.frames_good; }
    [[nodiscard]] std::int64_t commits() const { return damage_.commits_good; }
    [[nodiscard]] std::int64_t pages() const { return commits() > 0 ? pages_ : 0; }

    [[nodiscard]] std::optional<LogDamage> verdict(const std::optional<LogHeader>& header,
                                                   std::int64_t bytes) {
        if (!header) {  // SQLite reads none of it
            damage_.frames_behind += std::exchange(damage_.frames_good, 0);
            damage_.commits_behind += std::exchange(damage_.commits_good, 0);
            if (damage_.frames_behind > 0) is_proven_ = true;
        }
        if (is_proven_) damage_.kind = header ? LogDamage::Kind::Frame : LogDamage::Kind::Header;
        if (note_) hold_against_note(header, bytes);
        if (!is_proven_) return std::nullopt;
        return damage_;
    }

private:
    void count(const SeenFrame& frame) {
        if (note_ && frame.number == note_->frames) at_note_ = frame.header.checksum;
        if (!frame.header.is_commit()) return;
        damage_.frames_good = frame.number;
        ++damage_.commits_good;
        pages_ = frame.header.pages_if_commit;
    }

    void stop_at(const SeenFrame& frame) {
        is_whole_ = false;
        is_commit_whole_ = false;
        damage_.frame = frame.number;
        // Goes on from the frame before, so it was written behind it: its salts were changed.
        if (frame.checks && frame.is_ours) is_proven_ = true;
    }

    void hold_against_note(const std::optional<LogHeader>& header, std::int64_t bytes) {
        damage_.is_copied = note_->is_copied && note_->state != TailNote::State::Opening;
        damage_.is_noted_copied = damage_.is_copied;
        if (note_->state == TailNote::State::Opening) return;
        if (!header) {
            if (note_->is_copied && !is_proven_) return;
            note_lost();
            if (!is_proven_)
                damage_.kind = bytes == 0 ? LogDamage::Kind::Missing : LogDamage::Kind::Header;
            is_proven_ = true;
            return;
        }
        if (header->salts != note_->salts) return hold_other_against_note(*header);
        note_lost();
        const bool is_short = damage_.frames_good < note_->frames;
        if (!is_short && at_note_ == note_->checksum) return;
        if (!is_proven_) {
            damage_.kind = !is_short            ? LogDamage::Kind::Other
                           : damage_.frame != 0 ? LogDamage::Kind::Frame
                                                : LogDamage::Kind::Cut;
        }
        is_proven_ = true;
    }

    // It began anew since the note was written, or it is not the log that was here.
    void hold_other_against_note(const LogHeader& header) {
        constexpr std::uint32_t kRestartsMax = 1U << 24;
        const auto restarts = header.salts.first - note_->salts.first;
        const bool is_next = note_->state == TailNote::State::Running && restarts != 0 &&
                             restarts < kRestartsMax &&
                             header.sequence - note_->sequence == restarts;
        // It begins anew only when all of it has been copied. Of this one nothing may have been.
        if (is_next) {
            damage_.is_copied = damage_.is_noted_copied = false;
            return;
        }
        if (damage_.frames_good == 0 && !is_proven_ && note_->is_copied) return;
        damage_.kind = LogDamage::Kind::Other;
        damage_.is_copied = false;  // the noted one was; of this one nothing is known
        note_lost();
        is_proven_ = true;
    }

    void note_lost() {
        damage_.frames_noted = note_->frames;
        damage_.commits_noted = note_->commits;
    }

    const std::optional<TailNote> note_;
    LogDamage damage_{};
    std::optional<LogChecksum> at_note_;
    std::int64_t pages_ = 0;
    bool is_whole_ = true;         // until the first that does not check
    bool is_commit_whole_ = true;  // of the frames since the last commit
    bool was_commit_ = false;      // the frame before, behind the damage
    bool is_proven_ = false;
};

}  // namespace

Result<> walk_log(const fs::path& log_file, const std::function<void(const SeenFrame&)>& visit) {
    const File file(log_file);
    if (!file.is_open()) return errno == ENOENT ? Result<>() : cannot_read(log_file);
    std::array<std::uint8_t, kLogHeaderBytes> head{};
    std::size_t got = 0;
    if (!file.read(head, 0, got)) return cannot_read(log_file);
    std::optional<LogHeader> header;
    if (got == head.size()) {
        std::vector<std::uint8_t> first(kFrameHeaderBytes + kPageBytes);
        if (!file.read(first, kLogHeaderBytes, got)) return cannot_read(log_file);
        header = whole_header(head, got == first.size() ? Bytes(first) : Bytes());
    }
    const auto page_bytes = header ? header->page_bytes : kPageBytes;
    const bool sums_big_endian = header && header->sums_big_endian;
    std::vector<std::uint8_t> buffer(kFrameHeaderBytes + page_bytes);
    std::optional<LogSalts> salts;
    if (header) salts = header->salts;
    LogChecksum before = header ? header->checksum : LogChecksum{};
    std::optional<LogChecksum> or_before;  // had the checksum of the frame before been changed
    bool is_ours = true;
    bool is_linked = true;  // goes on from the stored checksum of a frame of this log
    for (std::int64_t number = 1;; ++number) {
        if (!file.read(buffer, frame_offset(number, page_bytes), got)) return cannot_read(log_file);
        if (got < buffer.size()) return {};
        const auto bytes = Bytes(buffer);
        const auto page = bytes.subspan(kFrameHeaderBytes);
        const auto frame = parse_frame_header(bytes);
        if (!salts) salts = frame.salts;
        auto sum = frame_checksum(sums_big_endian, before, bytes, page);
        const bool was_linked = std::exchange(is_linked, is_ours && sum == frame.checksum);
        if (sum != frame.checksum && or_before) {
            const auto other = frame_checksum(sums_big_endian, *or_before, bytes, page);
            if (other == frame.checksum) {
                before = *or_before;
                sum = other;
            }
        }
        const bool checks = sum == frame.checksum;
        // Twice in a row: a new header before an old page, or a part of one, would be one link from
        // which the old frames behind it go on.
        is_ours = is_one_bit_off(frame.salts, *salts) || (is_linked && was_linked);
        visit({.number = number,
               .header = frame,
               .header_bytes = bytes.first(kFrameHeaderBytes),
               .page = page,
               .before = before,
               .checks = checks,
               .has_salts = frame.salts == *salts,
               .is_ours = is_ours});
        or_before = checks ? std::nullopt : std::optional(sum);
        before = frame.checksum;
    }
}

Result<LogSurvey> survey_log(const fs::path& store_file) {
    const auto log_file = log_of(store_file);
    LogSurvey survey;
    std::error_code ec;
    const auto bytes = fs::file_size(log_file, ec);
    if (!ec) survey.bytes = static_cast<std::int64_t>(bytes);
    if (survey.bytes >= static_cast<std::int64_t>(kLogHeaderBytes)) {
        const File file(log_file);
        std::array<std::uint8_t, kLogHeaderBytes> head{};
        std::size_t got = 0;
        if (!file.is_open() || !file.read(head, 0, got)) return cannot_read(log_file);
        survey.header = parse_log_header(head);
    }
    Reading reading(read_tail_note(store_file));
    if (auto walked = walk_log(log_file, [&](const SeenFrame& frame) { reading.see(frame); });
        !walked)
        return std::unexpected(walked.error());
    survey.damage = reading.verdict(survey.header, survey.bytes);
    survey.frames = reading.frames();
    survey.commits = reading.commits();
    survey.pages = reading.pages();
    return survey;
}

std::string describe(const LogDamage& damage) {
    const auto number = [](std::int64_t value) { return std::to_string(value); };
    const auto good = number(damage.commits_good) + " commits before that stand";
    const auto behind = number(damage.commits_behind) + " commits behind it stand intact";
    const auto noted = damage.frames_noted == 0
                           ? std::string()
                           : "; it had " + number(damage.frames_noted) + " frames, " +
                                 number(damage.commits_noted) + " commits at least";
    switch (damage.kind) {
        case LogDamage::Kind::Frame:
            return "frame " + number(damage.frame) + " of its log does not check: the " + good +
                   ", and " + behind + noted;
        case LogDamage::Kind::Header: return "the header of its log is damaged: " + behind + noted;
        case LogDamage::Kind::Cut:
            return "its log was cut or put back: it ends after frame " +
                   number(damage.frames_good) + " (" + number(damage.commits_good) + " commits)" +
                   noted;
        case LogDamage::Kind::Missing:
            return "its log is missing or empty" + noted +
                   ", which are in the store only if another program has copied them there, as the "
                   "shell of SQLite does";
        case LogDamage::Kind::Other:
            return "its log is not the one that was written here: it was put back, or is another "
                   "store's" +
                   noted;
        case LogDamage::Kind::Foreign:
            return "its store.db is older than its log: it was put there without the log that "
                   "belongs to it, and what was copied out of earlier logs is not in it";
        case LogDamage::Kind::Unnoted:
            return "its tail note (store.db-tail) is missing or garbled, because somebody changed "
                   "it "
                   "or a full disk had no room for it, so nothing says whether its log held more "
                   "than the " +
                   number(damage.frames_good) + " frames (" + number(damage.commits_good) +
                   " commits) that are there";
    }
    return {};
}

}  // namespace fencegate::storage::sqlite
