#pragma once
// SHA-256 for the hot path: idempotency fingerprints, API keys and the seals of the journal.
// Thread rule: any thread; each keeps one digest context for life.
// Errors: none; a failing digest means OpenSSL is broken, and the process stops.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace fencegate {

using Sha256 = std::array<std::uint8_t, 32>;

// Hashes a list of texts. Every part is preceded by its length, so {"ab", "c"} and {"a", "bc"}
// differ. The result is stored: changing this encoding orphans every idempotency record and breaks
// every seal.
[[nodiscard]] Sha256 sha256(std::span<const std::string_view> parts);
[[nodiscard]] Sha256 sha256(std::initializer_list<std::string_view> parts);

// The plain SHA-256 of the bytes, as other tools compute it.
[[nodiscard]] Sha256 sha256_of(std::string_view bytes);

// Takes the same time wherever the first difference is.
[[nodiscard]] bool equal_in_constant_time(const Sha256& left, const Sha256& right) noexcept;

}  // namespace fencegate
