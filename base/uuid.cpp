#include "base/uuid.hpp"

#include "base/hex.hpp"

namespace fencegate {
namespace {

constexpr std::size_t kTextBytes = 36;

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

std::string to_hex(const Uuid& id) { return to_hex(std::span(id.bytes)); }

std::string to_string(const Uuid& id) {
    auto text = to_hex(id);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) noexcept {
    if (text.size() != kTextBytes) return std::nullopt;
    std::array<char, 2 * sizeof(Uuid::bytes)> digits{};
    std::size_t used = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!is_dash_position(at)) {
            digits[used++] = text[at];
        } else if (text[at] != '-') {
            return std::nullopt;
        }
    }
    const auto bytes = parse_hex<sizeof(Uuid::bytes)>({digits.data(), digits.size()});
    if (!bytes) return std::nullopt;
    return Uuid{*bytes};
}

}  // namespace fencegate
