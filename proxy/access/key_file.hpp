#pragma once
// keys.toml in the data folder: the API keys at rest, and the few ways to change them.
//
// Owns: the file's format, its lock and its atomic replacement. A running gateway reads it again
// on SIGHUP only. Invariants: the file is mode 0600; a key's text is returned once, by what made
// it, and written nowhere but to `api-key` on the first start; it is never part of an error.
// Thread rule: any thread, any number of processes: changes are serialised by keys.lock.
// Errors: fail_start(); a malformed file is BadConfig, "file:line:col: message; what to do".

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "proxy/access/credentials.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

[[nodiscard]] std::filesystem::path keys_file_in(const std::filesystem::path& data_dir);
[[nodiscard]] std::filesystem::path first_key_file_in(const std::filesystem::path& data_dir);

[[nodiscard]] Result<std::vector<KeyRecord>> read_key_file(const std::filesystem::path& keys_file);

// That keys.toml, if there is one, can be read and is sound. Changes nothing.
[[nodiscard]] Result<> check_keys(const std::filesystem::path& data_dir);

// Makes a key and returns its text, the only time it is seen. Creates folder and file if needed.
// Fails with: BadConfig also for a principal that is no principal name or has no scope.
[[nodiscard]] Result<std::string> add_key(const std::filesystem::path& data_dir,
                                          const Principal& principal, Random& random, WallTime now);

// Fails with: BadConfig when there is no such key.
[[nodiscard]] Result<> revoke_key(const std::filesystem::path& data_dir, KeyId id);

// In the order they were made.
[[nodiscard]] Result<std::vector<KeyRecord>> list_keys(const std::filesystem::path& data_dir);

// On the first start, when there is no keys.toml yet: a key for the principal "default" with every
// scope, also written to `api-key`. Its text, or nothing when there is a keys.toml.
[[nodiscard]] Result<std::optional<std::string>> ensure_first_key(
    const std::filesystem::path& data_dir, Random& random, WallTime now);

}  // namespace fencegate::proxy
