#pragma once
// PageSeal: a checksum of one page of the store, kept in the page's last eight bytes, which SQLite
// leaves alone (the "reserved bytes" of its file format). It covers the other bytes and the page's
// number, so that a page that was written to another one's place does not pass either.
// Any change within one of the four lanes (so: any single flipped bit, any burst of 64 bits that
// begins at a multiple of eight) is noticed for certain, any other but once in 2^64.
// Not noticed: a page that is whole but old, because a write never reached the disk.
// Thread rule: pure functions.
// Source: the idea of https://sqlite.org/cksumvfs.html, the rounds of xxHash64.

#include <cstddef>
#include <cstdint>
#include <span>

namespace fencegate::storage::sqlite {

inline constexpr std::size_t kFilePageBytes = 4096;
inline constexpr std::size_t kSealBytes = 8;
// The page that holds the bytes SQLite locks. It is never written and never read.
inline constexpr std::uint32_t kLockingPage = 0x40000000 / kFilePageBytes + 1;

using PageBytes = std::span<const std::byte, kFilePageBytes>;

// Over all bytes but the last eight.
[[nodiscard]] std::uint64_t seal_of(PageBytes page, std::uint32_t number) noexcept;
[[nodiscard]] bool carries_seal(PageBytes page, std::uint32_t number) noexcept;
void put_seal(std::span<std::byte, kFilePageBytes> page, std::uint32_t number) noexcept;

// Over every byte: of a page in the log, whose last eight bytes hold nothing yet.
[[nodiscard]] std::uint64_t sum_of(PageBytes page) noexcept;

// Whether SQLite was told to leave the last eight bytes alone, as page 1 says.
[[nodiscard]] bool has_room_for_seals(std::span<const std::byte> first_page) noexcept;

}  // namespace fencegate::storage::sqlite
