#pragma once
// The files that a store is made of, in a folder or beside a backup: what they are called, and how
// they are copied, kept and replaced as one.
// Thread rule: any thread; nobody else has the files. Errors: StartFailure CannotCreate.

#include "base/result.hpp"

#include <filesystem>
#include <span>

namespace fencegate::storage {

// Ends of the store's name.
using Parts = std::span<const char* const>;

// The note goes first, so that it misses no log that has just been moved; the store last, because
// under a log that is not its own it would be another one.
inline constexpr const char* kParts[] = {"-tail", "-wal", ""};
// A note is worth nothing in another place.
inline constexpr const char* kBackupParts[] = {"-wal", ""};
inline constexpr const char* kStoreAlone[] = {""};

[[nodiscard]] bool has_any_part(const std::filesystem::path& file);

// Durable, but for the names. Those that are not there are left out.
[[nodiscard]] Result<> copy_parts(Parts parts, const std::filesystem::path& from,
                                  const std::filesystem::path& to);

// A second name for what is there, which needs no room; a copy where the file system has none.
[[nodiscard]] Result<> keep_parts(const std::filesystem::path& file,
                                  const std::filesystem::path& kept);

// Moves a store that has a note and no log to the place of another, durably. What is moved already
// stays: whoever repeats it after an interruption finishes it.
[[nodiscard]] Result<> replace_parts(const std::filesystem::path& file,
                                     const std::filesystem::path& next);

void remove_parts(const std::filesystem::path& file);

}  // namespace fencegate::storage
