#include "storage/sqlite/page_seal_vfs.hpp"

#include "storage/sqlite/file_locks.hpp"
#include "storage/sqlite/page_seal.hpp"

#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace fencegate::storage::sqlite {
namespace {

constexpr sqlite3_int64 kLogHeaderBytes = 32;
constexpr sqlite3_int64 kFrameHeaderBytes = 24;
constexpr sqlite3_int64 kFrameBytes =
    kFrameHeaderBytes + static_cast<sqlite3_int64>(kFilePageBytes);

thread_local std::optional<std::string> damage;

enum class Role : std::uint8_t { Database, Log, Other };

// SQLite allocates room for this and never constructs it: open_file() and close_file() do.
struct File {
    sqlite3_file base{};
    // Of the VFS below, whose size is only known when the file is opened.
    std::unique_ptr<std::byte[]> memory;
    std::string name;
    Role role = Role::Other;
    bool is_sealed = false;                          // a database
    FileLocks locks;                                 // of a database
    std::vector<std::optional<std::uint64_t>> sums;  // a log: by frame

    [[nodiscard]] sqlite3_file* real() const {
        return reinterpret_cast<sqlite3_file*>(memory.get());
    }
    [[nodiscard]] const sqlite3_io_methods* methods() const { return real()->pMethods; }
};

File* self(sqlite3_file* file) { return reinterpret_cast<File*>(file); }

PageBytes page_at(const void* data) {
    return PageBytes(static_cast<const std::byte*>(data), kFilePageBytes);
}

int damaged(const File& file, const std::string& where) {
    damage = where + " of " + std::filesystem::path(file.name).filename().string() +
             " is not as it was written";
    return SQLITE_IOERR_DATA;
}

constexpr bool is_whole_pages(int size, sqlite3_int64 offset) {
    constexpr auto kPage = static_cast<sqlite3_int64>(kFilePageBytes);
    return size > 0 && size % kPage == 0 && offset % kPage == 0;
}

std::uint32_t page_number(sqlite3_int64 offset) {
    return static_cast<std::uint32_t>(offset / static_cast<sqlite3_int64>(kFilePageBytes)) + 1;
}

// Below that are SQLite's looks at the header of the file, which page 1 covers when it is read.
constexpr int kSmallestPage = 512;

int check_pages(const File& file, const void* data, int size, sqlite3_int64 offset) {
    if (!file.is_sealed || size < kSmallestPage) return SQLITE_OK;
    if (!is_whole_pages(size, offset)) return damaged(file, "the header");  // another page size
    const auto* bytes = static_cast<const std::byte*>(data);
    for (std::size_t at = 0; at < static_cast<std::size_t>(size); at += kFilePageBytes) {
        const auto number = page_number(offset + static_cast<sqlite3_int64>(at));
        if (!carries_seal(page_at(bytes + at), number))
            return damaged(file, "page " + std::to_string(number));
    }
    return SQLITE_OK;
}

// A part of the log that SQLite reads or writes in one go.
struct Part {
    std::size_t frame;  // from 0
    bool has_header;
};

std::optional<Part> page_of_log(int size, sqlite3_int64 offset) {
    if (offset < kLogHeaderBytes) return std::nullopt;
    const auto frame = static_cast<std::size_t>((offset - kLogHeaderBytes) / kFrameBytes);
    const auto within = (offset - kLogHeaderBytes) % kFrameBytes;
    if (within == 0 && size == kFrameBytes) return Part{frame, true};
    if (within == kFrameHeaderBytes && size == static_cast<int>(kFilePageBytes))
        return Part{frame, false};
    return std::nullopt;
}

// With its header a frame is read by a start, which compares it with the header's checksum and
// takes nothing that does not fit. From then on it is known.
int check_log(File& file, const void* data, int size, sqlite3_int64 offset) {
    const auto part = page_of_log(size, offset);
    if (!part) return SQLITE_OK;
    const auto page =
        page_at(static_cast<const std::byte*>(data) + (part->has_header ? kFrameHeaderBytes : 0));
    const auto sum = sum_of(page);
    const bool is_known = part->frame < file.sums.size() && file.sums[part->frame].has_value();
    if (is_known) {
        if (*file.sums[part->frame] == sum) return SQLITE_OK;
        return damaged(file, "frame " + std::to_string(part->frame + 1));
    }
    if (!part->has_header) return SQLITE_OK;
    if (file.sums.size() <= part->frame) file.sums.resize(part->frame + 1);
    file.sums[part->frame] = sum;
    return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* out, int size, sqlite3_int64 offset) {
    auto& file = *self(base);
    const int code = file.methods()->xRead(file.real(), out, size, offset);
    if (code != SQLITE_OK || file.role == Role::Other) return code;
    return file.role == Role::Log ? check_log(file, out, size, offset)
                                  : check_pages(file, out, size, offset);
}

// SQLite takes a file that may not grow, by a limit or a quota, for a failing disk.
int write_below(File& file, const void* data, int size, sqlite3_int64 offset) {
    errno = 0;
    const int code = file.methods()->xWrite(file.real(), data, size, offset);
    const bool is_full = errno == EFBIG || errno == EDQUOT;
    return code == SQLITE_IOERR_WRITE && is_full ? SQLITE_FULL : code;
}

// Notes what the log holds from here on: nothing behind a new header, and nothing certain where a
// write has failed.
int write_log(File& file, const void* data, int size, sqlite3_int64 offset) {
    const auto part = page_of_log(size, offset);
    if (offset == 0) file.sums.clear();
    if (part && part->frame < file.sums.size()) file.sums[part->frame].reset();
    const int code = write_below(file, data, size, offset);
    if (code != SQLITE_OK || !part) return code;
    if (file.sums.size() <= part->frame) file.sums.resize(part->frame + 1);
    const auto* bytes = static_cast<const std::byte*>(data);
    file.sums[part->frame] = sum_of(page_at(bytes + (part->has_header ? kFrameHeaderBytes : 0)));
    return SQLITE_OK;
}

// Page 1 says whether there is room for seals. Where others were sealed without any, bytes of
// theirs are gone: that is a mistake of who opened the file, and nothing may come of it.
int write_pages(File& file, const void* data, int size, sqlite3_int64 offset) {
    const auto* bytes = static_cast<const std::byte*>(data);
    if (offset == 0 && static_cast<std::size_t>(size) >= kFilePageBytes) {
        const bool has_room = has_room_for_seals(page_at(data));
        if (file.is_sealed && !has_room) return SQLITE_IOERR_WRITE;
        file.is_sealed = has_room;
    }
    if (!file.is_sealed) return write_below(file, data, size, offset);
    if (!is_whole_pages(size, offset)) return SQLITE_IOERR_WRITE;
    std::array<std::byte, kFilePageBytes> page;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size); at += kFilePageBytes) {
        const auto to = offset + static_cast<sqlite3_int64>(at);
        std::memcpy(page.data(), bytes + at, kFilePageBytes);
        put_seal(page, page_number(to));
        const int code = write_below(file, page.data(), kFilePageBytes, to);
        if (code != SQLITE_OK) return code;
    }
    return SQLITE_OK;
}

int write_file(sqlite3_file* base, const void* data, int size, sqlite3_int64 offset) {
    auto& file = *self(base);
    switch (file.role) {
        case Role::Database: return write_pages(file, data, size, offset);
        case Role::Log: return write_log(file, data, size, offset);
        case Role::Other: return write_below(file, data, size, offset);
    }
    return SQLITE_IOERR_WRITE;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
    auto& file = *self(base);
    const int code = file.methods()->xTruncate(file.real(), size);
    if (code == SQLITE_OK && file.role == Role::Log && size == 0) file.sums.clear();
    return code;
}

int close_file(sqlite3_file* base) {
    auto& file = *self(base);
    const int code = file.methods()->xClose(file.real());
    file.~File();
    return code;
}

// A signal that comes meanwhile, on a disk in the network, is no failure of the disk; SQLite takes
// it for one. Nothing has been given up then, so the sync is made again.
int sync_file(sqlite3_file* base, int flags) {
    auto& file = *self(base);
    int code = SQLITE_OK;
    do {
        errno = 0;
        code = file.methods()->xSync(file.real(), flags);
    } while (code == SQLITE_IOERR_FSYNC && errno == EINTR);
    return code;
}
int file_size(sqlite3_file* base, sqlite3_int64* size) {
    return self(base)->methods()->xFileSize(self(base)->real(), size);
}
// Only databases are ever locked.
int lock_file(sqlite3_file* base, int level) { return self(base)->locks.raise(level); }
int unlock_file(sqlite3_file* base, int level) { return self(base)->locks.lower(level); }
int check_lock(sqlite3_file* base, int* out) {
    bool is_reserved = false;
    const int code = self(base)->locks.is_reserved(is_reserved);
    *out = is_reserved ? 1 : 0;
    return code;
}
int file_control(sqlite3_file* base, int what, void* argument) {
    return self(base)->methods()->xFileControl(self(base)->real(), what, argument);
}
int sector_size(sqlite3_file* base) {
    return self(base)->methods()->xSectorSize(self(base)->real());
}
// Without what promises that more than a page is written at once.
int characteristics(sqlite3_file* base) {
    return self(base)->methods()->xDeviceCharacteristics(self(base)->real()) &
           ~SQLITE_IOCAP_BATCH_ATOMIC;
}
int shm_map(sqlite3_file* base, int page, int size, int extend, void volatile** out) {
    return self(base)->methods()->xShmMap(self(base)->real(), page, size, extend, out);
}
int shm_lock(sqlite3_file* base, int offset, int count, int flags) {
    return self(base)->methods()->xShmLock(self(base)->real(), offset, count, flags);
}
void shm_barrier(sqlite3_file* base) { self(base)->methods()->xShmBarrier(self(base)->real()); }
int shm_unmap(sqlite3_file* base, int is_delete) {
    return self(base)->methods()->xShmUnmap(self(base)->real(), is_delete);
}

// Version 2: with shared memory, without mapped reads, which would pass by all this.
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

// Page 1 says so, or would if it were not damaged itself: then another page carries a seal, which
// none does by chance. SQLite's code if the file cannot be read: who took a sealed file for one
// without would write pages into it that nobody can read any more.
int look_for_seals(File& file) {
    constexpr auto kPage = static_cast<sqlite3_int64>(kFilePageBytes);
    sqlite3_int64 size = 0;
    if (const int code = file.methods()->xFileSize(file.real(), &size); code != SQLITE_OK)
        return code;
    file.is_sealed = size == 0;
    const auto pages = static_cast<std::uint32_t>(size / kPage);
    for (const std::uint32_t number : {1U, 2U, 3U, pages / 2, pages}) {
        if (number == 0 || number > pages || number == kLockingPage) continue;
        std::array<std::byte, kFilePageBytes> page;
        const int code =
            file.methods()->xRead(file.real(), page.data(), kFilePageBytes, (number - 1) * kPage);
        if (code != SQLITE_OK) return code;
        const bool is_told = number == 1 && has_room_for_seals(page);
        file.is_sealed = file.is_sealed || is_told || carries_seal(page, number);
    }
    return SQLITE_OK;
}

// Found at each opening: the tests put a disk of theirs in the place of the real one.
sqlite3_vfs* below() { return ::sqlite3_vfs_find(nullptr); }

// REQUIRES: `file` is open below.
int open_as_database(File& file, bool is_only_read) {
    file.role = Role::Database;
    int code = file.locks.open(file.name.c_str(), is_only_read);
    if (code == SQLITE_OK) code = look_for_seals(file);
    if (code != SQLITE_OK) file.methods()->xClose(file.real());
    return code;
}

// Whoever opens a pipe waits until somebody writes to it.
bool may_be_opened(const char* name) {
    if (name == nullptr) return true;
    std::error_code ec;
    const auto type = std::filesystem::status(name, ec).type();
    return type == std::filesystem::file_type::regular ||
           type == std::filesystem::file_type::not_found;
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* base, int flags, int* out) {
    auto* vfs = below();
    base->pMethods = nullptr;  // so SQLite does not close it
    if (!may_be_opened(name)) return SQLITE_CANTOPEN;
    auto& file = *new (base) File;
    file.memory = std::make_unique<std::byte[]>(static_cast<std::size_t>(vfs->szOsFile));
    int got = 0;
    int code = vfs->xOpen(vfs, name, file.real(), flags, &got);
    if (out != nullptr) *out = got;
    if (name != nullptr) file.name = name;
    if ((flags & SQLITE_OPEN_WAL) != 0) file.role = Role::Log;
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0)
        code = open_as_database(file, (got & SQLITE_OPEN_READONLY) != 0);
    if (code == SQLITE_OK) {
        base->pMethods = &kMethods;
        return code;
    }
    file.~File();
    base->pMethods = nullptr;
    return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync) {
    return below()->xDelete(below(), name, sync);
}
int access_file(sqlite3_vfs*, const char* name, int flags, int* out) {
    return below()->xAccess(below(), name, flags, out);
}
int full_pathname(sqlite3_vfs*, const char* name, int size, char* out) {
    return below()->xFullPathname(below(), name, size, out);
}

sqlite3_vfs vfs_over_the_default() {
    auto vfs = *below();  // dates, randomness and the like are the default's
    vfs.szOsFile = sizeof(File);
    vfs.zName = "fencegate-seals";
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = access_file;
    vfs.xFullPathname = full_pathname;
    return vfs;
}

}  // namespace

const char* sealing_vfs() {
    static sqlite3_vfs vfs = vfs_over_the_default();
    static const int registered = ::sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
    return registered == SQLITE_OK ? vfs.zName : nullptr;
}

std::optional<std::string> take_damage() { return std::exchange(damage, std::nullopt); }

}  // namespace fencegate::storage::sqlite
