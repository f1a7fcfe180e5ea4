#include "tests/support/forgetful_disk.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/syscall.h>
#include <unistd.h>

namespace fencegate::testing {
namespace {

using Change = ForgetfulDisk::Change;
using Verdict = ForgetfulDisk::Verdict;

// SQLite allocates this with room for the real file right behind it, and never constructs it.
struct File {
    sqlite3_file base;
    ForgetfulDisk* disk;
    const char* path;  // nullptr: not tracked. Lives as long as the disk
};

File* self(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(self(file) + 1); }
const sqlite3_io_methods* methods(sqlite3_file* file) { return real(file)->pMethods; }

std::int64_t size_of(sqlite3_file* file) {
    sqlite3_int64 size = 0;
    methods(file)->xFileSize(real(file), &size);
    return size;
}

std::vector<char> read_range(sqlite3_file* file, std::int64_t from, std::int64_t to) {
    std::vector<char> bytes(static_cast<std::size_t>(std::max<std::int64_t>(0, to - from)));
    if (!bytes.empty())
        methods(file)->xRead(real(file), bytes.data(), static_cast<int>(bytes.size()), from);
    return bytes;
}

int close_file(sqlite3_file* file) { return methods(file)->xClose(real(file)); }

int read_file(sqlite3_file* file, void* out, int size, sqlite3_int64 offset) {
    if (self(file)->disk->is_dead()) return SQLITE_IOERR_READ;
    return methods(file)->xRead(real(file), out, size, offset);
}

// Counts the operation; if it is to happen, remembers what it undoes and runs it.
template <class Operation>
int change_file(sqlite3_file* file, Change change, int failure, const Operation& operation) {
    auto& disk = *self(file)->disk;
    const auto verdict = disk.count(/*is_sync=*/false);
    if (verdict == Verdict::Fail) return disk.code() == 0 ? failure : disk.code();
    if (self(file)->path != nullptr) {
        change.file = self(file)->path;
        disk.remember(std::move(change));
    }
    const int code = operation();
    return verdict == Verdict::ProceedAndFail ? failure : code;
}

int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    const auto* bytes = static_cast<const char*>(data);
    const auto end = size_of(file);
    Change change;
    change.offset = offset;
    change.before = read_range(file, offset, std::min<std::int64_t>(end, offset + size));
    change.after.assign(bytes, bytes + size);
    change.size_before = end;
    return change_file(file, std::move(change), SQLITE_IOERR_WRITE,
                       [&] { return methods(file)->xWrite(real(file), data, size, offset); });
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    const auto end = size_of(file);
    Change change;
    change.offset = size;
    change.before = read_range(file, size, end);
    change.size_before = end;
    change.is_truncation = true;
    return change_file(file, std::move(change), SQLITE_IOERR_TRUNCATE,
                       [&] { return methods(file)->xTruncate(real(file), size); });
}

// SQLite's own sync, which syncs the folder of a new file as well, ends up in sync_any().
int sync_file(sqlite3_file* file, int flags) {
    auto& disk = *self(file)->disk;
    if (disk.count(/*is_sync=*/true) != Verdict::Proceed) return SQLITE_IOERR_FSYNC;
    return disk.sync_below([&] { return methods(file)->xSync(real(file), flags); });
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return methods(file)->xFileSize(real(file), size);
}
int lock_file(sqlite3_file* file, int level) { return methods(file)->xLock(real(file), level); }
int unlock_file(sqlite3_file* file, int level) { return methods(file)->xUnlock(real(file), level); }
int check_lock(sqlite3_file* file, int* is_reserved) {
    return methods(file)->xCheckReservedLock(real(file), is_reserved);
}
int file_control(sqlite3_file* file, int what, void* argument) {
    return methods(file)->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) { return methods(file)->xSectorSize(real(file)); }
int characteristics(sqlite3_file* file) {
    return methods(file)->xDeviceCharacteristics(real(file));
}
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return methods(file)->xShmMap(real(file), page, size, extend, out);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return methods(file)->xShmLock(real(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) { methods(file)->xShmBarrier(real(file)); }
int shm_unmap(sqlite3_file* file, int is_delete) {
    return methods(file)->xShmUnmap(real(file), is_delete);
}

// Version 2: with shared memory, without mapped reads, which would bypass all this.
constexpr sqlite3_io_methods kMethods{.iVersion = 2,
                                      .xClose = close_file,
                                      .xRead = read_file,
                                      .xWrite = write_file,
                                      .xTruncate = truncate_file,
                                      .xSync = sync_file,
                                      .xFileSize = file_size,
                                      .xLock = lock_file,
                                      .xUnlock = unlock_file,
                                      .xCheckReservedLock = check_lock,
                                      .xFileControl = file_control,
                                      .xSectorSize = sector_size,
                                      .xDeviceCharacteristics = characteristics,
                                      .xShmMap = shm_map,
                                      .xShmLock = shm_lock,
                                      .xShmBarrier = shm_barrier,
                                      .xShmUnmap = shm_unmap,
                                      .xFetch = nullptr,
                                      .xUnfetch = nullptr};

}  // namespace

// In force. Only one at a time.
static std::atomic<ForgetfulDisk*> current{nullptr};

struct ForgetfulDisk::Vfs {
    sqlite3_vfs vfs{};
    sqlite3_vfs* ordinary = nullptr;
    ForgetfulDisk* disk = nullptr;

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
        const auto* data = static_cast<const Vfs*>(vfs->pAppData);
        constexpr int kTracked = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL;
        self(file)->disk = data->disk;
        self(file)->path = nullptr;
        file->pMethods = nullptr;
        const int code = data->ordinary->xOpen(data->ordinary, name, real(file), flags, out);
        if (methods(file) != nullptr) file->pMethods = &kMethods;
        const bool is_tracked = code == SQLITE_OK && (flags & kTracked) != 0 && name != nullptr;
        if (is_tracked) self(file)->path = data->disk->opened(name);
        return code;
    }
};

ForgetfulDisk::ForgetfulDisk() : vfs_(std::make_unique<Vfs>()) {
    vfs_->ordinary = sqlite3_vfs_find(nullptr);
    vfs_->disk = this;
    vfs_->vfs = *vfs_->ordinary;  // everything but opening files is the ordinary one's
    vfs_->vfs.szOsFile = static_cast<int>(sizeof(File)) + vfs_->ordinary->szOsFile;
    vfs_->vfs.zName = "forgetful";
    vfs_->vfs.pNext = nullptr;
    vfs_->vfs.pAppData = vfs_.get();
    vfs_->vfs.xOpen = Vfs::open;
    if (sqlite3_vfs_register(&vfs_->vfs, /*makeDflt=*/1) != SQLITE_OK)
        throw std::runtime_error("forgetful disk: cannot register");
    current.store(this);
}

ForgetfulDisk::~ForgetfulDisk() {
    current.store(nullptr);
    sqlite3_vfs_unregister(&vfs_->vfs);
    sqlite3_vfs_register(vfs_->ordinary, /*makeDflt=*/1);
}

void ForgetfulDisk::lose_power_at(std::size_t operation) {
    be_sound();
    is_power_plan_ = true;
    strike_at_ = operation;
}

void ForgetfulDisk::fail_at(std::size_t operation, int code, std::size_t times) {
    be_sound();
    strike_at_ = operation;
    strikes_ = times;
    code_ = code;
}

void ForgetfulDisk::be_sound() {
    counted_ = strike_at_ = strikes_ = struck_ = 0;
    code_ = 0;
    is_power_plan_ = false;
}

Verdict ForgetfulDisk::count(bool is_sync) {
    ++counted_;
    if (is_sync && wait_) wait_();
    if (strike_at_ == 0 || counted_ < strike_at_) return Verdict::Proceed;
    if (is_power_plan_) return ++struck_ == 1 ? Verdict::ProceedAndFail : Verdict::Fail;
    if (is_sync && code_ == SQLITE_FULL) return Verdict::Proceed;
    if (counted_ >= strike_at_ + strikes_) return Verdict::Proceed;
    ++struck_;
    return Verdict::Fail;
}

void ForgetfulDisk::watch(const std::filesystem::path& folder, DurableNames::Now now) {
    const std::lock_guard lock(mutex_);
    names_.watch(folder, now);
}

// What was written to it before SQLite opened it is as little durable as what SQLite writes.
const char* ForgetfulDisk::opened(const char* name) {
    const std::lock_guard lock(mutex_);
    const auto held = names_.hold(name).string();
    indexes_.insert(std::string(name) + "-shm");
    const auto [key, is_new] = opened_.insert(held);
    if (!is_new) return key->c_str();
    auto before = names_.govern(*id_of(held));
    std::ifstream in(held, std::ios::binary);
    std::vector<char> now{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (names_.is_watching(name) && now != before) {
        const auto size_before = static_cast<std::int64_t>(before.size());
        remember({.file = held,
                  .before = std::move(before),
                  .after = std::move(now),
                  .size_before = size_before});
    }
    return key->c_str();
}

int ForgetfulDisk::sync_below(const std::function<int()>& sync) {
    const std::lock_guard lock(mutex_);
    is_below_ = true;
    const int code = sync();
    is_below_ = false;
    return code;
}

int ForgetfulDisk::sync_any(int descriptor) {
    const std::lock_guard lock(mutex_);
    if (interrupts_ > 0) {
        --interrupts_;
        return EINTR;
    }
    const bool counts = !is_below_ && names_.is_watching();
    if (counts && count(/*is_sync=*/true) != Verdict::Proceed) return EIO;
    if (is_lying_) return 0;
    names_.synced(descriptor);
    struct stat status {};
    if (unsynced_.empty() || ::fstat(descriptor, &status) != 0) return 0;
    const FileId id{status.st_dev, status.st_ino};
    std::erase_if(unsynced_, [&](const Change& change) { return id_of(change.file) == id; });
    return 0;
}

}  // namespace fencegate::testing

namespace {

int sync_or_forget(int descriptor, long system_call) {
    auto* disk = fencegate::testing::current.load();
    if (disk == nullptr) return static_cast<int>(::syscall(system_call, descriptor));
    const int error = disk->sync_any(descriptor);
    if (error == 0) return 0;
    errno = error;
    return -1;
}

}  // namespace

// A program's own functions come before those of the C library, for the libraries it loads as well.
extern "C" int fsync(int descriptor) { return sync_or_forget(descriptor, SYS_fsync); }
extern "C" int fdatasync(int descriptor) { return sync_or_forget(descriptor, SYS_fdatasync); }
