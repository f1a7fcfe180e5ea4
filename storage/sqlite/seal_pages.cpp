#include "storage/sqlite/seal_pages.hpp"

#include "base/file.hpp"
#include "base/start_failure.hpp"
#include "storage/sqlite/incarnation.hpp"
#include "storage/sqlite/page_seal.hpp"

#include <sqlite3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <unistd.h>

namespace fencegate::storage::sqlite {
namespace {

namespace fs = std::filesystem;

fs::path sealed_name(fs::path file) { return file += ".sealing"; }

std::unexpected<Error> cannot(const std::string& what, int why) {
    return fail_start(StartFailure::CannotCreate,
                      "Cannot " + what + ": " + std::strerror(why) + ". The store is as it was.");
}

// SQLite makes files for everybody to read.
Result<> create_private(const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return cannot("create " + file.string(), errno);
    ::close(descriptor);
    return {};
}

std::unexpected<Error> failed(const Connection& connection, const fs::path& file) {
    const auto& failure = *connection.failure();
    std::error_code ec;
    if (failure.kind != Failure::Kind::Full)
        return fail_start(StartFailure::BadData, "Cannot seal the pages of " + file.string() +
                                                     ": " + failure.message +
                                                     ". The store is as it was.");
    return fail_start(
        StartFailure::CannotCreate,
        "There is no room to seal the pages of " + file.string() + ", which this version does " +
            "once: it takes " + std::to_string(fs::file_size(file, ec)) +
            " bytes more for a while. Make room and start again. The store is as it was.");
}

// The new file has another birth, and takes the old one's place: the store must know, or it would
// be taken for a copy; see incarnation.hpp.
Result<> note_birth(const fs::path& file, const fs::path& sealed) {
    auto opened = Connection::open(sealed);
    if (!opened) return std::unexpected(opened.error());
    auto& connection = **opened;
    connection.exec(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = FULL");
    Statement(connection, "UPDATE store SET born_ns = ? WHERE id = 1 AND born_ns <> 0")
        .run(birth_of(sealed));
    // Already here, where a crash costs nothing: in place, page 1 would be written once more.
    connection.exec("PRAGMA journal_mode = WAL");
    if (connection.failure()) return failed(connection, file);
    return {};
}

// Frames that a power cut brings back would be read over the new file.
Result<> empty_log_durably(Connection& connection, const fs::path& file) {
    const auto log = file.string() + "-wal";
    std::error_code ec;
    if (!fs::exists(log, ec)) return {};
    if (fs::file_size(log, ec) == 0 && !ec) {
        ::sqlite3_file* open_log = nullptr;
        ::sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER,
                               static_cast<void*>(&open_log));
        if (open_log == nullptr || open_log->pMethods == nullptr) return sync_path(log);
        if (open_log->pMethods->xSync(open_log, SQLITE_SYNC_FULL) == SQLITE_OK) return {};
        return cannot("sync " + log, EIO);
    }
    return fail_start(StartFailure::CannotCreate,
                      "Cannot seal the pages of " + file.string() +
                          " before its log is copied, and there is no room for that. Make room "
                          "and start again. The store is as it was.");
}

}  // namespace

Result<bool> has_sealed_pages(const fs::path& file) {
    std::array<std::byte, kFilePageBytes> page{};
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return cannot("read " + file.string(), errno);
    const auto size = ::pread(descriptor, page.data(), page.size(), 0);
    ::close(descriptor);
    // A store that was never written to is a new one, which gets its room from the first page on.
    return size <= 0 || has_room_for_seals(page);
}

void remove_half_sealed(const fs::path& file) {
    std::error_code ignored;
    for (const auto* part : {"", "-journal", "-wal"})
        fs::remove(sealed_name(file).string() + part, ignored);
}

Result<> write_sealed(Connection& connection, const fs::path& file) {
    const auto sealed = sealed_name(file);
    remove_half_sealed(file);
    if (auto done = empty_log_durably(connection, file); !done) return done;
    if (auto done = create_private(sealed); !done) return done;
    const auto name = sealed.string();
    Statement(connection, "VACUUM INTO ?").run(std::string_view(name));
    auto done = connection.failure() ? Result<>(failed(connection, file)) : Result<>();
    if (done) done = note_birth(file, sealed);
    std::error_code ignored;
    fs::remove(name + "-wal", ignored);  // nothing was written to it
    if (done) done = sync_path(sealed);
    if (!done) remove_half_sealed(file);
    return done;
}

Result<> put_sealed_in_place(const fs::path& file) {
    std::error_code ec;
    fs::rename(sealed_name(file), file, ec);
    if (ec) return cannot("put the sealed store in the place of " + file.string(), ec.value());
    return sync_path(file.parent_path());
}

Result<std::int64_t> seal_as_they_are(const fs::path& file) {
    std::fstream pages(file, std::ios::in | std::ios::out | std::ios::binary);
    std::array<std::byte, kFilePageBytes> page{};
    auto* const bytes = reinterpret_cast<char*>(page.data());
    std::int64_t sealed = 0;
    for (std::uint32_t number = 1; pages.read(bytes, page.size()); ++number) {
        if (number == 1 && !has_room_for_seals(page)) return 0;
        if (number == kLockingPage || carries_seal(page, number)) continue;
        put_seal(page, number);
        pages.seekp(-static_cast<std::streamoff>(page.size()), std::ios::cur);
        pages.write(bytes, page.size());
        pages.seekg(pages.tellp());
        ++sealed;
    }
    if (!pages.eof()) return cannot("seal the pages of " + file.string(), errno);
    pages.close();
    if (auto done = sync_path(file); !done) return std::unexpected(done.error());
    return sealed;
}

}  // namespace fencegate::storage::sqlite
