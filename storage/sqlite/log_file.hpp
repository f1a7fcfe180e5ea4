#pragma once
// The format of SQLite's log (https://sqlite.org/fileformat2.html#walformat): a header, and frames
// that each hold one page. SQLite reads a log up to the first frame that does not check and takes
// what follows for nothing; whoever must know more than that reads the log with this.
//
//   header  32 bytes: magic, version, page size, sequence, two salts, checksum of the 24 before
//   frame   24 bytes and a page: page number, pages of the database if the frame ends a commit,
//           the two salts of the header, checksum
//
// The checksum of a frame runs over all frames before it: it is computed from the checksum of the
// frame before (of the header for the first), the first 8 bytes of the frame and its page. The
// salts are not in it; they tell the frames of this log from those of the one it was written over.
// Thread rule: pure functions. Errors: nothing is returned for what is no header.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fencegate::storage::sqlite {

using Bytes = std::span<const std::uint8_t>;

inline constexpr std::size_t kLogHeaderBytes = 32;
inline constexpr std::size_t kFrameHeaderBytes = 24;

struct LogChecksum {
    std::uint32_t first = 0;
    std::uint32_t second = 0;

    friend bool operator==(const LogChecksum&, const LogChecksum&) = default;
};

struct LogSalts {
    std::uint32_t first = 0;   // one more each time the log begins anew
    std::uint32_t second = 0;  // at random

    friend bool operator==(const LogSalts&, const LogSalts&) = default;
};

struct LogHeader {
    bool sums_big_endian = false;  // how the checksum reads its input, whatever the machine
    std::uint32_t page_bytes = 0;
    std::uint32_t sequence = 0;
    LogSalts salts{};
    LogChecksum checksum{};
};

struct FrameHeader {
    std::uint32_t page = 0;             // from 1
    std::uint32_t pages_if_commit = 0;  // 0: the commit goes on in the next frame
    LogSalts salts{};
    LogChecksum checksum{};

    [[nodiscard]] bool is_commit() const noexcept { return pages_if_commit != 0; }
};

// Nothing if a part of it, its checksum among them, cannot be.
// REQUIRES: kLogHeaderBytes bytes at least.
[[nodiscard]] std::optional<LogHeader> parse_log_header(Bytes bytes);
// REQUIRES: kFrameHeaderBytes bytes at least.
[[nodiscard]] FrameHeader parse_frame_header(Bytes bytes);

[[nodiscard]] std::array<std::uint8_t, kLogHeaderBytes> make_log_header(std::uint32_t page_bytes,
                                                                        std::uint32_t sequence,
                                                                        const LogSalts& salts);
[[nodiscard]] std::array<std::uint8_t, kFrameHeaderBytes> make_frame_header(
    const FrameHeader& header);

// Where the n-th frame begins, from 1.
[[nodiscard]] constexpr std::int64_t frame_offset(std::int64_t frame, std::uint32_t page_bytes) {
    return static_cast<std::int64_t>(kLogHeaderBytes) +
           (frame - 1) * (static_cast<std::int64_t>(kFrameHeaderBytes) + page_bytes);
}

// SQLite's checksum of `bytes`, going on from `before`. REQUIRES: a multiple of 8 bytes.
[[nodiscard]] LogChecksum log_checksum(bool sums_big_endian, LogChecksum before, Bytes bytes);

// What the checksum of a frame must be. `before` is the checksum of the frame before it, of the
// log's header for the first. `header`: the frame's own, of which the first 8 bytes count.
[[nodiscard]] LogChecksum frame_checksum(bool sums_big_endian, LogChecksum before, Bytes header,
                                         Bytes page);

}  // namespace fencegate::storage::sqlite
