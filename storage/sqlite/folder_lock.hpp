#pragma once
// The lock of a data folder. Owns the rule that one process uses a store: see D107 and D108.
// Thread rule: any thread; held as long as the store is open.

#include "base/file.hpp"
#include "base/result.hpp"

#include <filesystem>
#include <utility>

namespace fencegate::storage::sqlite {

// What a gateway locks beside the folder, and remembers in it that there was a store.
inline constexpr const char* kLockFile = "store.lock";

// Keeps every other process away from a folder and the store in it. It is a lock on the folder
// itself, which keeps it whatever is removed from it, put into it, or becomes of its name; and on
// store.lock, which earlier versions look at.
class FolderLock {
public:
    // Out of line: inlined into the end of a Result, GCC 12 warns of an Error's pointer that would
    // be freed at -1, a descriptor that was moved from.
    FolderLock(FolderLock&& other) noexcept;
    FolderLock& operator=(FolderLock&&) = delete;
    ~FolderLock();

    // For who makes or changes a store. Creates store.lock, unless it fails.
    // Fails with: StartFailure InUse (another process has it, or has the store open), CannotCreate.
    [[nodiscard]] static Result<FolderLock> take(const std::filesystem::path& folder);
    // For who only reads, be it on a read-only medium: creates nothing. Fails with: as above.
    [[nodiscard]] static Result<FolderLock> take_to_read(const std::filesystem::path& folder);

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    // Open as long as this is, whatever becomes of the folder's name.
    [[nodiscard]] int folder_descriptor() const noexcept { return folder_file_.get(); }

private:
    explicit FolderLock(std::filesystem::path folder) : folder_(std::move(folder)) {}
    [[nodiscard]] Result<> lock_folder();
    // `flags`: with which store.lock is opened.
    [[nodiscard]] Result<> lock_file(int flags);

    std::filesystem::path folder_;
    Descriptor folder_file_{-1};
    Descriptor lock_file_{-1};
};

}  // namespace fencegate::storage::sqlite
