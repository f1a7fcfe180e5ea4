#include "storage/sqlite/folder_lock.hpp"

#include "base/start_failure.hpp"
#include "storage/sqlite/file_locks.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>

namespace fencegate::storage::sqlite {
namespace {

std::unexpected<Error> cannot_lock(const std::filesystem::path& what, int why) {
    return fail_start(StartFailure::CannotCreate,
                      "Cannot lock " + what.string() + ": " + std::strerror(why) + ".");
}

// Released when the descriptor is closed, and by nothing else.
Result<> lock_now(int descriptor, const std::filesystem::path& what,
                  const std::filesystem::path& folder) {
    int result = ::flock(descriptor, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR) result = ::flock(descriptor, LOCK_EX | LOCK_NB);
    if (result == 0) return {};
    if (errno != EWOULDBLOCK) return cannot_lock(what, errno);
    return fail_start(StartFailure::InUse,
                      "Another fencegate uses the data folder " + folder.string() +
                          ". Stop it, or give this one a folder of its own with --data-dir.");
}

}  // namespace

FolderLock::FolderLock(FolderLock&& other) noexcept = default;
FolderLock::~FolderLock() = default;

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
    FolderLock lock(folder);
    if (auto done = lock.lock_folder(); !done) return std::unexpected(done.error());
    if (auto done = lock.lock_file(O_RDWR | O_CREAT); !done) return std::unexpected(done.error());
    return lock;
}

Result<FolderLock> FolderLock::take_to_read(const std::filesystem::path& folder) {
    FolderLock lock(folder);
    if (auto done = lock.lock_folder(); !done) return std::unexpected(done.error());
    std::error_code ec;
    if (!std::filesystem::exists(folder / kLockFile, ec)) return lock;
    if (auto done = lock.lock_file(O_RDONLY); !done) return std::unexpected(done.error());
    return lock;
}

// The store may have a second name, in a folder that nobody has locked.
Result<> FolderLock::lock_folder() {
    folder_file_ = Descriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_file_.is_open()) return cannot_lock(folder_, errno);
    if (auto done = lock_now(folder_file_.get(), folder_, folder_); !done) return done;
    if (!is_locked(folder_ / "store.db")) return {};
    return fail_start(StartFailure::InUse,
                      "The store " + (folder_ / "store.db").string() +
                          " is open in another program: a fencegate that knows it by another "
                          "name, or the shell of SQLite. Close it first.");
}

// A command that failed may have removed the file that it had made.
Result<> FolderLock::lock_file(int flags) {
    const auto file = folder_ / kLockFile;
    do {
        lock_file_ = Descriptor(::open(file.c_str(), flags | O_NONBLOCK | O_CLOEXEC, 0600));
        if (!lock_file_.is_open()) return cannot_lock(file, errno);
        if (auto done = lock_now(lock_file_.get(), file, folder_); !done) return done;
    } while (!is_still_at(lock_file_.get(), file));
    return {};
}

}  // namespace fencegate::storage::sqlite
