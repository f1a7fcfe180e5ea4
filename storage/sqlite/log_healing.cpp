#include "storage/sqlite/log_healing.hpp"

#include "storage/sqlite/page_seal.hpp"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

namespace fencegate::storage::sqlite {
namespace {

constexpr std::size_t kSummedFrameBytes = 8;

void flip(std::span<std::uint8_t> bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
}

int bits_between(const LogChecksum& left, const LogChecksum& right) {
    return std::popcount(left.first ^ right.first) + std::popcount(left.second ^ right.second);
}

bool is_behind(const LogHeader& header, Bytes frame) {
    const auto of = parse_frame_header(frame);
    return of.salts == header.salts &&
           of.checksum == frame_checksum(header.sums_big_endian, header.checksum, frame,
                                         frame.subspan(kFrameHeaderBytes));
}

// But for where the page's seal will be, of which nothing is read.
bool are_same(const FrameImage& left, const FrameImage& right) {
    const auto end = static_cast<std::ptrdiff_t>(left.page.size() - kSealBytes);
    return left.header == right.header &&
           std::equal(left.page.begin(), left.page.begin() + end, right.page.begin());
}

}  // namespace

std::optional<LogHeader> whole_header(Bytes header, Bytes first_frame) {
    if (auto whole = parse_log_header(header)) return whole;
    std::vector<std::uint8_t> tried(header.begin(), header.end());
    std::optional<LogHeader> found;
    for (std::size_t bit = 0; bit < 8 * kLogHeaderBytes; ++bit) {
        flip(tried, bit);
        const auto fits = parse_log_header(tried);
        flip(tried, bit);
        if (!fits) continue;
        if (!first_frame.empty() && is_behind(*fits, first_frame)) return fits;
        found = fits;
    }
    return found;
}

std::optional<FrameImage> whole_frame(const LogChecksum& before, Bytes header, Bytes page) {
    const auto noted = parse_frame_header(header).checksum;
    FrameImage image{{header.begin(), header.begin() + kSummedFrameBytes},
                     {page.begin(), page.end()}};
    const auto sum_of = [&] {
        return frame_checksum(/*sums_big_endian=*/false, before, image.header, image.page);
    };
    std::optional<FrameImage> found;
    const auto sum = sum_of();
    if (sum == noted) return image;
    if (bits_between(sum, noted) == 1) found = image;  // in the checksum itself
    for (auto* part : {&image.header, &image.page}) {
        for (std::size_t bit = 0; bit < 8 * part->size(); ++bit) {
            flip(*part, bit);
            const bool fits = sum_of() == noted;
            if (fits && found && !are_same(*found, image)) return std::nullopt;
            if (fits && !found) found = image;
            flip(*part, bit);
        }
    }
    return found;
}

}  // namespace fencegate::storage::sqlite
