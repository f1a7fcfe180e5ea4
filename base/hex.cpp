#include "base/hex.hpp"

namespace fencegate {
namespace {

constexpr std::string_view kLower = "0123456789abcdef";
constexpr std::string_view kUpper = "0123456789ABCDEF";

std::optional<unsigned> value_of(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return std::nullopt;
}

}  // namespace

void append_hex(std::string& out, std::uint8_t byte) {
    out.push_back(kLower[byte >> 4]);
    out.push_back(kLower[byte & 0x0f]);
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) append_hex(text, byte);
    return text;
}

void append_percent_escape(std::string& out, char byte) {
    const auto value = static_cast<std::uint8_t>(byte);
    out.push_back('%');
    out.push_back(kUpper[value >> 4]);
    out.push_back(kUpper[value & 0x0f]);
}

bool is_hex(std::string_view text) noexcept {
    return text.find_first_not_of(kLower) == std::string_view::npos;
}

std::optional<std::uint8_t> hex_byte(std::string_view digits) noexcept {
    if (digits.size() != 2) return std::nullopt;
    const auto high = value_of(digits[0]);
    const auto low = value_of(digits[1]);
    if (!high || !low) return std::nullopt;
    return static_cast<std::uint8_t>(*high << 4 | *low);
}

}  // namespace fencegate
