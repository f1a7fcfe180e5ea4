#include "storage/sqlite/page_seal.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace fencegate::storage::sqlite {
namespace {

constexpr std::uint64_t kFirst = 0x9E3779B185EBCA87;
constexpr std::uint64_t kSecond = 0xC2B2AE3D27D4EB4F;
constexpr std::uint64_t kThird = 0x165667B19E3779F9;
constexpr std::uint64_t kFourth = 0x85EBCA77C2B2AE63;
constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::size_t kLanes = 4;
// Where the header of SQLite's file format says how many bytes of each page are left alone.
constexpr std::size_t kReservedAt = 20;

std::uint64_t word_at(const std::byte* bytes) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, kWord);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// One to one in `lane` and one to one in `word`: what differs once in a lane differs to its end.
std::uint64_t round(std::uint64_t lane, std::uint64_t word) noexcept {
    return std::rotl(lane + word * kSecond, 31) * kFirst;
}

// Each lane is a variable of its own: in an array they would go through memory with every word.
std::uint64_t hash(const std::byte* bytes, std::size_t size, std::uint64_t seed) noexcept {
    auto first = seed + kFirst;
    auto second = seed ^ kSecond;
    auto third = seed + kThird;
    auto fourth = seed ^ kFourth;
    std::size_t at = 0;
    for (; at + kLanes * kWord <= size; at += kLanes * kWord) {
        first = round(first, word_at(bytes + at));
        second = round(second, word_at(bytes + at + kWord));
        third = round(third, word_at(bytes + at + 2 * kWord));
        fourth = round(fourth, word_at(bytes + at + 3 * kWord));
    }
    std::array<std::uint64_t, kLanes> lanes{first, second, third, fourth};
    for (std::size_t lane = 0; at < size; at += kWord, ++lane)
        lanes[lane] = round(lanes[lane], word_at(bytes + at));
    std::uint64_t all = seed + size;
    for (const auto lane : lanes) all = (all ^ round(0, lane)) * kFirst + kFourth;
    all = (all ^ (all >> 33)) * kSecond;
    all = (all ^ (all >> 29)) * kThird;
    return all ^ (all >> 32);
}

}  // namespace

std::uint64_t seal_of(PageBytes page, std::uint32_t number) noexcept {
    return hash(page.data(), kFilePageBytes - kSealBytes, number);
}

bool carries_seal(PageBytes page, std::uint32_t number) noexcept {
    return word_at(page.data() + kFilePageBytes - kSealBytes) == seal_of(page, number);
}

void put_seal(std::span<std::byte, kFilePageBytes> page, std::uint32_t number) noexcept {
    auto seal = seal_of(page, number);
    if constexpr (std::endian::native == std::endian::big) seal = __builtin_bswap64(seal);
    std::memcpy(page.data() + kFilePageBytes - kSealBytes, &seal, kSealBytes);
}

std::uint64_t sum_of(PageBytes page) noexcept { return hash(page.data(), kFilePageBytes, 0); }

bool has_room_for_seals(std::span<const std::byte> first_page) noexcept {
    return first_page.size() > kReservedAt &&
           std::to_integer<std::size_t>(first_page[kReservedAt]) == kSealBytes;
}

}  // namespace fencegate::storage::sqlite
