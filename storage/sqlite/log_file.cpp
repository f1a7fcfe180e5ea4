#include "storage/sqlite/log_file.hpp"

#include <bit>
#include <cstring>

namespace fencegate::storage::sqlite {
namespace {

constexpr std::uint32_t kMagic = 0x377f0682;  // its last bit says how the checksums are summed
constexpr std::uint32_t kVersion = 3'007'000;
constexpr std::size_t kSummedHeaderBytes = 24;
constexpr std::size_t kSummedFrameBytes = 8;

std::uint32_t get(Bytes bytes, std::size_t at) {
    return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
           std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

template <std::size_t Size>
void put(std::array<std::uint8_t, Size>& bytes, std::size_t at, std::uint32_t value) {
    for (std::size_t byte = 0; byte < 4; ++byte)
        bytes[at + byte] = static_cast<std::uint8_t>(value >> (24 - 8 * byte));
}

bool can_be_page_size(std::uint32_t bytes) {
    constexpr std::uint32_t kMin = 512;
    constexpr std::uint32_t kMax = 65'536;
    return bytes >= kMin && bytes <= kMax && std::has_single_bit(bytes);
}

template <bool Swaps>
LogChecksum sum(LogChecksum sum, Bytes bytes) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
        std::uint32_t words[2];
        std::memcpy(words, bytes.data() + at, sizeof words);
        if constexpr (Swaps) {
            words[0] = __builtin_bswap32(words[0]);
            words[1] = __builtin_bswap32(words[1]);
        }
        sum.first += words[0] + sum.second;
        sum.second += words[1] + sum.first;
    }
    return sum;
}

}  // namespace

std::optional<LogHeader> parse_log_header(Bytes bytes) {
    const auto magic = get(bytes, 0);
    LogHeader header{.sums_big_endian = (magic & 1) != 0,
                     .page_bytes = get(bytes, 8),
                     .sequence = get(bytes, 12),
                     .salts = {get(bytes, 16), get(bytes, 20)},
                     .checksum = {get(bytes, 24), get(bytes, 28)}};
    if ((magic & ~1U) != kMagic || get(bytes, 4) != kVersion) return std::nullopt;
    if (!can_be_page_size(header.page_bytes)) return std::nullopt;
    const auto sum = log_checksum(header.sums_big_endian, {}, bytes.first(kSummedHeaderBytes));
    if (sum != header.checksum) return std::nullopt;
    return header;
}

FrameHeader parse_frame_header(Bytes bytes) {
    return {.page = get(bytes, 0),
            .pages_if_commit = get(bytes, 4),
            .salts = {get(bytes, 8), get(bytes, 12)},
            .checksum = {get(bytes, 16), get(bytes, 20)}};
}

std::array<std::uint8_t, kLogHeaderBytes> make_log_header(std::uint32_t page_bytes,
                                                          std::uint32_t sequence,
                                                          const LogSalts& salts) {
    std::array<std::uint8_t, kLogHeaderBytes> bytes{};
    put(bytes, 0, kMagic);
    put(bytes, 4, kVersion);
    put(bytes, 8, page_bytes);
    put(bytes, 12, sequence);
    put(bytes, 16, salts.first);
    put(bytes, 20, salts.second);
    const auto sum =
        log_checksum(/*sums_big_endian=*/false, {}, Bytes(bytes).first(kSummedHeaderBytes));
    put(bytes, 24, sum.first);
    put(bytes, 28, sum.second);
    return bytes;
}

std::array<std::uint8_t, kFrameHeaderBytes> make_frame_header(const FrameHeader& header) {
    std::array<std::uint8_t, kFrameHeaderBytes> bytes{};
    put(bytes, 0, header.page);
    put(bytes, 4, header.pages_if_commit);
    put(bytes, 8, header.salts.first);
    put(bytes, 12, header.salts.second);
    put(bytes, 16, header.checksum.first);
    put(bytes, 20, header.checksum.second);
    return bytes;
}

LogChecksum log_checksum(bool sums_big_endian, LogChecksum before, Bytes bytes) {
    constexpr bool kIsBigEndian = std::endian::native == std::endian::big;
    return sums_big_endian == kIsBigEndian ? sum<false>(before, bytes) : sum<true>(before, bytes);
}

LogChecksum frame_checksum(bool sums_big_endian, LogChecksum before, Bytes header, Bytes page) {
    const auto sum = log_checksum(sums_big_endian, before, header.first(kSummedFrameBytes));
    return log_checksum(sums_big_endian, sum, page);
}

}  // namespace fencegate::storage::sqlite
