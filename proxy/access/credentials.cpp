#include "proxy/access/credentials.hpp"

#include "base/check.hpp"
#include "base/hex.hpp"
#include "proxy/access/key_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ranges>

namespace fencegate::proxy {
namespace {

constexpr std::string_view kPrefix = "fgk_";
constexpr std::size_t kIdDigits = 12;
constexpr std::size_t kSecretDigits = 64;
constexpr std::size_t kKeyBytes = kPrefix.size() + kIdDigits + 1 + kSecretDigits;

// The id of what looks like a key. The form is public, so a quick no tells nothing.
std::optional<KeyId> id_of(std::string_view key) noexcept {
    if (key.size() != kKeyBytes || !key.starts_with(kPrefix)) return std::nullopt;
    if (key[kPrefix.size() + kIdDigits] != '_') return std::nullopt;
    return parse_key_id(key.substr(kPrefix.size(), kIdDigits));
}

}  // namespace

std::string to_string(KeyId id) {
    std::array<std::uint8_t, kIdDigits / 2> bytes{};
    auto rest = id.value;
    for (auto& byte : std::views::reverse(bytes)) {
        byte = static_cast<std::uint8_t>(rest);
        rest >>= 8;
    }
    return to_hex(bytes);
}

std::optional<KeyId> parse_key_id(std::string_view text) noexcept {
    if (text.size() != kIdDigits || !is_hex(text)) return std::nullopt;
    KeyId id;
    std::from_chars(text.data(), text.data() + text.size(), id.value, 16);
    return id;
}

std::string key_text(KeyId id, std::span<const std::uint8_t, 32> secret) {
    std::string text(kPrefix);
    return text.append(to_string(id)).append("_").append(to_hex(secret));
}

Credentials::Credentials(std::vector<KeyRecord> records) : records_(std::move(records)) {
    std::ranges::sort(records_, {}, &KeyRecord::id);
    const auto twin = std::ranges::adjacent_find(records_, {}, &KeyRecord::id);
    FG_CHECK(twin == records_.end());
}

Result<Credentials> Credentials::load(const std::filesystem::path& keys_file) {
    auto records = read_key_file(keys_file);
    if (!records) return std::unexpected(std::move(records.error()));
    return Credentials(std::move(*records));
}

const Principal* Credentials::authenticate(std::string_view key) const {
    const auto id = id_of(key);
    if (!id) return nullptr;
    const auto presented = sha256_of(key);
    const auto found = std::ranges::lower_bound(records_, *id, {}, &KeyRecord::id);
    const bool is_known = found != records_.end() && found->id == *id;
    // An unknown id is hashed and compared like a known one (invariant 2).
    static constexpr Sha256 kNobody{};
    const bool is_equal = equal_in_constant_time(presented, is_known ? found->sha256 : kNobody);
    return is_known && is_equal ? &found->principal : nullptr;
}

}  // namespace fencegate::proxy
