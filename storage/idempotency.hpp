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
    std::string key;                             // 1 to 255 printable ASCII
    KeyDigest digest{};                          // of principal and key: the index
    std::array<std::uint8_t, 32> fingerprint{};  // of method, target, body and principal
};

// Stored, and all that an answer is found by: another way to compute it orphans every answer.
[[nodiscard]] KeyDigest key_digest(std::string_view principal, std::string_view key);

}  // namespace fencegate::storage
