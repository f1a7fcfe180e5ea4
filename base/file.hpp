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
#include <vector>

namespace fencegate {

enum class FileMode : unsigned { Public = 0644, Secret = 0600 };

// Closes on every way out; close() is explicit where its result matters.
class Descriptor {
public:
    explicit Descriptor(int value) noexcept : value_(value) {}
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();

    [[nodiscard]] bool is_open() const noexcept { return value_ >= 0; }
    [[nodiscard]] int get() const noexcept { return value_; }
    [[nodiscard]] bool close() noexcept;

private:
    int value_;
};

// Not open, with errno, where there is no file: a folder, or a pipe, at which whoever opens it
// waits until somebody writes, is none (EISDIR, EOPNOTSUPP).
[[nodiscard]] Descriptor open_to_read(const std::filesystem::path& path) noexcept;

// Whether that is the name of what is open: it may have been removed, renamed or replaced since.
[[nodiscard]] bool is_still_at(int descriptor, const std::filesystem::path& file);

// Of a file, or of what the caller of the program handed over (/dev/stdin).
// Fails with: CannotRead, also when the file is larger than bytes_max.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t bytes_max);

// Readers see the old content or the new, never a mixture; after success it survives power loss.
// The mode holds from the first byte on (a stricter umask is respected).
// Fails with: CannotCreate; the old content is then still there.
[[nodiscard]] Result<> write_file_atomically(const std::filesystem::path& path,
                                             std::string_view content, FileMode mode);

// fsync, again when a signal interrupts it. False, with errno: what was written may be lost.
[[nodiscard]] bool sync_descriptor(int descriptor) noexcept;

// What was written to the file, or the names in the folder, is on the disk when this returns.
// Fails with: CannotCreate.
[[nodiscard]] Result<> sync_path(const std::filesystem::path& path);

// Creates the folder and its parents, this user only; an existing folder is left as it is.
// Fails with: CannotCreate, also when something else has the name.
[[nodiscard]] Result<> make_private_directory(const std::filesystem::path& path);

// The same for a command that may fail: what it has made and nobody has put anything into is
// removed again, the parents too, when this goes.
class MadeFolders {
public:
    // Fails with: as above.
    [[nodiscard]] static Result<MadeFolders> make(const std::filesystem::path& path);

    MadeFolders(MadeFolders&& other) noexcept : made_(std::exchange(other.made_, {})) {}
    MadeFolders& operator=(MadeFolders&&) = delete;
    ~MadeFolders();

    // Empty or not.
    void keep() noexcept { made_.clear(); }

private:
    MadeFolders() = default;
    std::vector<std::filesystem::path> made_;  // the innermost first
};

// An exclusive advisory lock on a file, which is created if missing. It stays unless the command
// that made it fails: who waits for a lock looks whether the file still has its name.
class FileLock {
public:
    // Waits until nobody else holds it. Fails with: CannotCreate.
    [[nodiscard]] static Result<FileLock> acquire(const std::filesystem::path& path);

    FileLock(FileLock&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), made_(std::move(other.made_)) {}
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

    // The command has succeeded: the file stays, whoever made it.
    void keep() noexcept { made_.clear(); }

private:
    FileLock(int descriptor, std::filesystem::path made)
        : descriptor_(descriptor), made_(std::move(made)) {}
    int descriptor_;
    std::filesystem::path made_;  // empty: it was there
};

}  // namespace fencegate
