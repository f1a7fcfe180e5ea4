#pragma once
// Idempotency: one key of one principal, and what was asked under it.
// Thread rule: plain values.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace fencegate::storage {

using KeyDigest = std::array<std::uint8_t, 16>;

struct Idempotency {
    std::string key;     // 1 to 255 printable ASCII
    KeyDigest digest{};  // of principal and key: the index
    // Of method, path, query, canonical form and principal: what was asked.
    std::array<std::uint8_t, 32> fingerprint{};
    // Of method, target, body and principal to the byte, as answers of before version 4 have it.
    std::array<std::uint8_t, 32> raw_fingerprint{};
};

// How a fingerprint came to be; stored beside each. 1: the request's bytes. 2: its canonical form.
inline constexpr std::int64_t kRawFingerprintVersion = 1;
inline constexpr std::int64_t kFingerprintVersion = 2;

// Stored, and all that an answer is found by: another way to compute it orphans every answer.
[[nodiscard]] KeyDigest key_digest(std::string_view principal, std::string_view key);

}  // namespace fencegate::storage
