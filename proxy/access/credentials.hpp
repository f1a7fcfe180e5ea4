#pragma once
// Credentials: which API key belongs to which principal. An immutable snapshot of keys.toml; a
// reload makes a new one.
//
// Key text: fgk_<id: 12 hex>_<secret: 64 hex>. The id finds the key and may be shown and logged;
// the secret is 256 random bits, so one plain SHA-256 is enough to store it by.
// Invariant 1: no key text is kept, only its SHA-256. Invariant 2: how long authenticate() takes
// does not tell whether an id exists or how much of a secret is right.
// Thread rule: immutable after construction, may be shared by all threads.

#include "base/digest.hpp"
#include "base/result.hpp"
#include "base/snapshot.hpp"
#include "proxy/access/principal.hpp"

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

// The public part of a key: 48 random bits, 12 lower-case hex digits.
struct KeyId {
    std::uint64_t value = 0;
    friend auto operator<=>(const KeyId&, const KeyId&) = default;
};
[[nodiscard]] std::string to_string(KeyId id);
[[nodiscard]] std::optional<KeyId> parse_key_id(std::string_view text) noexcept;

// One entry of keys.toml.
struct KeyRecord {
    KeyId id;
    Principal principal;
    Sha256 sha256{};         // of the whole key text
    std::string created_at;  // RFC 3339
};

class Credentials {
public:
    // REQUIRES: no two records of one id (key_file.hpp refuses them).
    explicit Credentials(std::vector<KeyRecord> records);

    // Fails with: CannotRead or BadConfig, naming file, line and column.
    [[nodiscard]] static Result<Credentials> load(const std::filesystem::path& keys_file);

    // The key's principal, or nullptr. Lives as long as this snapshot, also when that is moved.
    [[nodiscard]] const Principal* authenticate(std::string_view key) const;

    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }

private:
    std::vector<KeyRecord> records_;  // sorted by id
};

// The credentials as they are now; a reload replaces them.
using CredentialStore = Snapshot<Credentials>;

// The text of a key with this id and these 32 secret bytes.
[[nodiscard]] std::string key_text(KeyId id, std::span<const std::uint8_t, 32> secret);

}  // namespace fencegate::proxy
