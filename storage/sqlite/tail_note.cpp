#include "storage/sqlite/tail_note.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/disk_failure.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNoteBytes = 64;
constexpr std::uint32_t kMagic = 0x46475431;  // "FGT1"
constexpr std::size_t kSummedBytes = 56;
constexpr std::size_t kPageBytes = 4'096;

using Record = std::array<std::uint32_t, kNoteBytes / 4>;

LogChecksum sum_of(const Record& record) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(record.data());
    return log_checksum(/*sums_big_endian=*/false, {kMagic, kMagic}, {bytes, kSummedBytes});
}

std::uint32_t low(std::int64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::int64_t value) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32);
}
std::int64_t joined(std::uint32_t low, std::uint32_t high) {
    return static_cast<std::int64_t>(std::uint64_t{high} << 32 | low);
}

Record record_of(const TailNote& note) {
    Record record{kMagic,
                  static_cast<std::uint32_t>(note.state),
                  note.is_copied ? 1U : 0U,
                  note.salts.first,
                  note.salts.second,
                  note.sequence,
                  low(note.frames),
                  high(note.frames),
                  note.checksum.first,
                  note.checksum.second,
                  low(note.commits),
                  high(note.commits),
                  low(note.base),
                  high(note.base)};
    const auto sum = sum_of(record);
    record[14] = sum.first;
    record[15] = sum.second;
    return record;
}

std::optional<TailNote> note_of(const Record& record) {
    const auto sum = sum_of(record);
    if (record[0] != kMagic || record[14] != sum.first || record[15] != sum.second)
        return std::nullopt;
    if (record[1] > std::to_underlying(TailNote::State::Closed)) return std::nullopt;
    return TailNote{.state = static_cast<TailNote::State>(record[1]),
                    .is_copied = record[2] != 0,
                    .salts = {record[3], record[4]},
                    .sequence = record[5],
                    .frames = joined(record[6], record[7]),
                    .checksum = {record[8], record[9]},
                    .commits = joined(record[10], record[11]),
                    .base = joined(record[12], record[13])};
}

}  // namespace

fs::path tail_note_of(const fs::path& store_file) { return store_file.string() + "-tail"; }
fs::path log_of(const fs::path& store_file) { return store_file.string() + "-wal"; }

std::optional<TailNote> read_tail_note(const fs::path& store_file) {
    const auto file = open_to_read(tail_note_of(store_file));
    if (!file.is_open()) return std::nullopt;
    Record record{};
    const auto got = ::pread(file.get(), record.data(), kNoteBytes, 0);
    if (got != static_cast<::ssize_t>(kNoteBytes)) return std::nullopt;
    return note_of(record);
}

TailKeeper::TailKeeper(const fs::path& store_file)
    : store_file_(store_file),
      file_(tail_note_of(store_file)),
      log_file_(log_of(store_file)),
      note_(read_tail_note(store_file).value_or(TailNote{})) {}

TailKeeper::~TailKeeper() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (log_ >= 0) ::close(log_);
}

Result<> TailKeeper::opening() {
    note_ = {};
    write();
    if (descriptor_ >= 0 && !sync_descriptor(descriptor_))
        return disk_failed(store_file_, std::strerror(errno));
    if (descriptor_ >= 0) return sync_path(file_.parent_path());
    std::error_code ec;
    if (!std::filesystem::exists(file_, ec) && !ec) return {};
    return fail_start(StartFailure::CannotCreate,
                      "Cannot write " + file_.string() + ", and cannot remove what it said.");
}

void TailKeeper::committed(std::int64_t frames, std::int64_t base) {
    const bool goes_on =
        note_.state == TailNote::State::Running && !note_.is_copied && frames >= note_.frames;
    if (frames == 0 || (goes_on && frames == note_.frames)) return;
    if (log_ < 0) log_ = ::open(log_file_.c_str(), O_RDONLY | O_CLOEXEC);
    if (log_ < 0 || (!goes_on && !read_log_header(base))) return;
    std::array<std::uint8_t, kFrameHeaderBytes> header{};
    if (::pread(log_, header.data(), header.size(), frame_offset(frames, kPageBytes)) !=
        static_cast<::ssize_t>(header.size()))
        return;
    note_.frames = frames;
    note_.checksum = parse_frame_header(header).checksum;
    ++note_.commits;
    write();
}

bool TailKeeper::read_log_header(std::int64_t base) {
    std::array<std::uint8_t, kLogHeaderBytes> bytes{};
    if (::pread(log_, bytes.data(), bytes.size(), 0) != static_cast<::ssize_t>(bytes.size()))
        return false;
    const auto header = parse_log_header(bytes);
    if (!header) return false;
    if (note_.salts != header->salts) {
        note_.commits = 0;
        note_.base = base;
    }
    note_.state = TailNote::State::Running;
    note_.is_copied = false;
    note_.salts = header->salts;
    note_.sequence = header->sequence;
    return true;
}

void TailKeeper::copied() {
    if (note_.state != TailNote::State::Running || note_.is_copied) return;
    note_.is_copied = true;
    write();
}

void TailKeeper::closed() {
    note_.state = TailNote::State::Closed;
    note_.is_copied = true;
    write();
    sync();
}

void TailKeeper::sync() {
    if (descriptor_ >= 0) static_cast<void>(sync_descriptor(descriptor_));
}

// A note that cannot be written must not say what was true once.
void TailKeeper::write() {
    if (descriptor_ < 0)
        descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    const auto record = record_of(note_);
    if (descriptor_ >= 0 &&
        ::pwrite(descriptor_, record.data(), kNoteBytes, 0) == static_cast<::ssize_t>(kNoteBytes))
        return;
    ::unlink(file_.c_str());
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace fencegate::storage::sqlite
