#include "base/uuid.hpp"

namespace fencegate {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int hex_value(char digit) noexcept {
    const auto at = kHexDigits.find(digit);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

bool is_dash_position(std::size_t at) noexcept {
    return at == 8 || at == 13 || at == 18 || at == 23;
}

}  // namespace

Uuid uuid_v7(WallTime now, Random& random) {
    Uuid id;
    random.fill(id.bytes);
    auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
    for (int at = 5; at >= 0; --at) {
        id.bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(ms);
        ms >>= 8;
    }
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x70);  // version 7
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);  // RFC 9562 variant
    return id;
}

std::string to_hex(const Uuid& id) {
    std::string text;
    text.reserve(32);
    for (const auto byte : id.bytes) {
        text.push_back(kHexDigits[byte >> 4]);
        text.push_back(kHexDigits[byte & 0x0f]);
    }
    return text;
}

std::string to_string(const Uuid& id) {
    auto text = to_hex(id);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t nibble = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (is_dash_position(at)) {
            if (text[at] != '-') return std::nullopt;
            continue;
        }
        const int value = hex_value(text[at]);
        if (value < 0) return std::nullopt;
        auto& byte = id.bytes[nibble / 2];
        byte = static_cast<std::uint8_t>((byte << 4) | value);
        ++nibble;
    }
    return id;
}

}  // namespace fencegate
