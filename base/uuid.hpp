#pragma once
// 128-bit ids in RFC 9562 layout. Owns: layout and text form. Thread rule: plain values.

#include "base/clock.hpp"
#include "base/random.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fencegate {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// UUIDv7: 48 bits of Unix milliseconds, then random. Ids made later sort later (to the
// millisecond), which keeps B-trees appending. The time is for sorting, not for deciding.
[[nodiscard]] Uuid uuid_v7(WallTime now, Random& random);

// 8-4-4-4-12 lower-case hex.
[[nodiscard]] std::string to_string(const Uuid& id);

// 32 lower-case hex digits without dashes, for ids that carry a prefix.
[[nodiscard]] std::string to_hex(const Uuid& id);

// Accepts exactly the form to_string() writes; nothing else names an id.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text) noexcept;

}  // namespace fencegate
