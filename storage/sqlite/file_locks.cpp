#include "storage/sqlite/file_locks.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>

namespace fencegate::storage::sqlite {
namespace {

struct Range {
    ::off_t at;
    ::off_t bytes;
};

// Of SQLite's file format: nothing is ever stored there, see kLockingPage.
constexpr ::off_t kPendingByte = 0x40000000;
constexpr Range kPending{kPendingByte, 1};
constexpr Range kReserved{kPendingByte + 1, 1};
constexpr Range kShared{kPendingByte + 2, 510};
constexpr Range kPendingAndReserved{kPendingByte, 2};
constexpr Range kAll{kPendingByte, 512};

struct ::flock described(short type, Range range) {
    struct ::flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = range.at;
    lock.l_len = range.bytes;
    return lock;
}

int control(int descriptor, int what, struct ::flock& lock) {
    int result = ::fcntl(descriptor, what, &lock);
    while (result != 0 && errno == EINTR) result = ::fcntl(descriptor, what, &lock);
    return result;
}

int set(int descriptor, short type, Range range) {
    auto lock = described(type, range);
    if (control(descriptor, F_OFD_SETLK, lock) == 0) return SQLITE_OK;
    if (errno == EAGAIN || errno == EACCES) return SQLITE_BUSY;
    return type == F_UNLCK ? SQLITE_IOERR_UNLOCK : SQLITE_IOERR_LOCK;
}

// What is locked there by somebody else, F_UNLCK if nothing is.
int look(int descriptor, Range range, short& type) {
    auto lock = described(F_WRLCK, range);
    if (control(descriptor, F_OFD_GETLK, lock) != 0) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    type = lock.l_type;
    return SQLITE_OK;
}

}  // namespace

int FileLocks::open(const char* name, bool is_only_read) {
    file_ = Descriptor(::open(name, (is_only_read ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    return file_.is_open() ? SQLITE_OK : SQLITE_CANTOPEN;
}

int FileLocks::raise(int level) {
    if (level <= level_) return SQLITE_OK;
    int code = SQLITE_OK;
    if (level_ == SQLITE_LOCK_NONE) code = share();
    if (code != SQLITE_OK || level == SQLITE_LOCK_SHARED) return code;
    if (level == SQLITE_LOCK_EXCLUSIVE) return exclude();
    code = set(file_.get(), F_WRLCK, kReserved);
    if (code == SQLITE_OK) level_ = level;
    return code;
}

// Who is about to exclude everybody holds the pending byte, so that no reader comes anew.
int FileLocks::share() {
    if (const int code = set(file_.get(), F_RDLCK, kPending); code != SQLITE_OK) return code;
    const int code = set(file_.get(), F_RDLCK, kShared);
    const int released = set(file_.get(), F_UNLCK, kPending);
    if (code != SQLITE_OK) return code;
    level_ = SQLITE_LOCK_SHARED;
    return released;
}

int FileLocks::exclude() {
    if (level_ < SQLITE_LOCK_PENDING) {
        const int code = set(file_.get(), F_WRLCK, kPending);
        if (code != SQLITE_OK) return code;
        level_ = SQLITE_LOCK_PENDING;
    }
    const int code = set(file_.get(), F_WRLCK, kShared);
    if (code == SQLITE_OK) level_ = SQLITE_LOCK_EXCLUSIVE;
    return code;
}

int FileLocks::lower(int level) {
    if (level_ <= level) return SQLITE_OK;
    int code = SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        code = set(file_.get(), F_RDLCK, kShared);
        if (code == SQLITE_OK) code = set(file_.get(), F_UNLCK, kPendingAndReserved);
    } else {
        code = set(file_.get(), F_UNLCK, kAll);
    }
    if (code == SQLITE_OK) level_ = level;
    return code;
}

int FileLocks::is_reserved(bool& out) const {
    out = level_ >= SQLITE_LOCK_RESERVED;
    if (out) return SQLITE_OK;
    short type = F_UNLCK;
    const int code = look(file_.get(), kReserved, type);
    out = code == SQLITE_OK && type != F_UNLCK;
    return code;
}

bool is_locked(const std::filesystem::path& database) {
    const auto file = open_to_read(database);
    short type = F_UNLCK;
    return file.is_open() && look(file.get(), kAll, type) == SQLITE_OK && type != F_UNLCK;
}

}  // namespace fencegate::storage::sqlite
