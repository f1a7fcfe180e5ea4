#pragma once
// Bytes as hex digits, and back. Ours are lower-case and read as nothing else, so that one value
// has one spelling; what others write may be of either case.
// Thread rule: pure functions.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fencegate {

void append_hex(std::string& out, std::uint8_t byte);
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

// "%2F": upper-case, as RFC 3986 (2.1) wants it written. What needs one is the caller's to say.
void append_percent_escape(std::string& out, char byte);

// True if the text has lower-case hex digits only.
[[nodiscard]] bool is_hex(std::string_view text) noexcept;

// The byte that two digits of either case stand for; nullopt if they are not two, or no digits.
[[nodiscard]] std::optional<std::uint8_t> hex_byte(std::string_view digits) noexcept;

// Exactly what to_hex() writes for so many bytes.
template <std::size_t Size>
[[nodiscard]] std::optional<std::array<std::uint8_t, Size>> parse_hex(
    std::string_view text) noexcept {
    if (text.size() != 2 * Size || !is_hex(text)) return std::nullopt;
    std::array<std::uint8_t, Size> bytes{};
    for (std::size_t at = 0; at < Size; ++at) bytes[at] = *hex_byte(text.substr(2 * at, 2));
    return bytes;
}

}  // namespace fencegate
