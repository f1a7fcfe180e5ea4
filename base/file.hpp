#pragma once
// Files as whole values: read all of it, or replace all of it so that a crash leaves old or new.
//
// Owns: the open-write-fsync-rename-fsync dance, file modes and a blocking file lock.
// Thread rule: every function may be called from any thread; a FileLock belongs to its holder.
// Errors: fail_start(CannotRead | CannotCreate), naming the file and what the system said.

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace fencegate {

enum class FileMode : unsigned { Public = 0644, Secret = 0600 };

// Fails with: CannotRead, also when the file is larger than bytes_max.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t bytes_max);

// Readers see the old content or the new, never a mixture; after success it survives power loss.
// The mode holds from the first byte on (a stricter umask is respected).
// Fails with: CannotCreate; the old content is then still there.
[[nodiscard]] Result<> write_file_atomically(const std::filesystem::path& path,
                                             std::string_view content, FileMode mode);

// What was written to the file, or the names in the folder, is on the disk when this returns.
// Fails with: CannotCreate.
[[nodiscard]] Result<> sync_path(const std::filesystem::path& path);

// Creates the folder and its parents, this user only; an existing folder is left as it is.
// Fails with: CannotCreate, also when something else has the name.
[[nodiscard]] Result<> make_private_directory(const std::filesystem::path& path);

// An exclusive advisory lock on a file, which is created if missing and never removed: removing
// it would let two processes lock two different files of one name.
class FileLock {
public:
    // Waits until nobody else holds it. Fails with: CannotCreate.
    [[nodiscard]] static Result<FileLock> acquire(const std::filesystem::path& path);

    FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace fencegate
