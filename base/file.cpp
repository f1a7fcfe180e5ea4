#include "base/file.hpp"

#include "base/random.hpp"
#include "base/start_failure.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <tuple>
#include <unistd.h>

namespace fencegate {
namespace {

std::unexpected<Error> fail_system(StartFailure failure, std::string_view what,
                                   const std::filesystem::path& path, int error) {
    std::string detail(what);
    detail.append(" ").append(path.string()).append(": ");
    return fail_start(failure, detail + std::generic_category().message(error));
}

// A name nobody else picks: O_EXCL must not fail because of what an earlier crash left behind.
std::filesystem::path temporary_beside(const std::filesystem::path& path) {
    std::array<std::uint8_t, 8> bytes{};
    SystemRandom().fill(bytes);
    std::string suffix = ".tmp-";
    for (const auto byte : bytes) {
        suffix.push_back(static_cast<char>('a' + (byte >> 4)));
        suffix.push_back(static_cast<char>('a' + (byte & 0x0f)));
    }
    return std::filesystem::path(path) += suffix;
}

bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const auto written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

bool write_new_file(const std::filesystem::path& path, std::string_view content, FileMode mode) {
    Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           static_cast<::mode_t>(mode)));
    if (!file.is_open()) return false;
    return write_all(file.get(), content) && sync_descriptor(file.get()) && file.close();
}

std::filesystem::path directory_of(const std::filesystem::path& path) {
    const auto parent = path.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

// The nearest folder above `path` that exists already.
std::filesystem::path first_there(const std::filesystem::path& path) {
    std::error_code ec;
    auto at = directory_of(path);
    while (!std::filesystem::exists(at, ec) && at != directory_of(at)) at = directory_of(at);
    return at;
}

// A new folder is durable only when the one that holds its name is synced, and so is that one.
Result<> sync_names(const std::filesystem::path& made, const std::filesystem::path& holder) {
    for (auto at = directory_of(made);; at = directory_of(at)) {
        if (auto done = sync_path(at); !done) return done;
        if (at == holder || at == directory_of(at)) return {};
    }
}

// A descriptor that whoever started the program has opened: its standard input, or <( ) of a shell.
bool is_handed_over(const std::filesystem::path& path) {
    const auto& name = path.native();
    return name.starts_with("/dev/") || name.starts_with("/proc/");
}

}  // namespace

Descriptor::~Descriptor() { (void)close(); }

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);  // which closes what this was
    return *this;
}

bool Descriptor::close() noexcept {
    const int value = std::exchange(value_, -1);
    return value < 0 || ::close(value) == 0;
}

bool is_still_at(int descriptor, const std::filesystem::path& file) {
    struct stat locked {};
    struct stat named {};
    return ::fstat(descriptor, &locked) == 0 && ::stat(file.c_str(), &named) == 0 &&
           locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

Descriptor open_to_read(const std::filesystem::path& path) noexcept {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file.is_open()) return file;
    struct stat found {};
    if (::fstat(file.get(), &found) == 0 && S_ISREG(found.st_mode)) return file;
    std::ignore = file.close();
    errno = S_ISDIR(found.st_mode) ? EISDIR : EOPNOTSUPP;
    return file;
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max) {
    const auto file = is_handed_over(path) ? Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC))
                                           : open_to_read(path);
    if (!file.is_open() && errno == EOPNOTSUPP)
        return fail_start(StartFailure::CannotRead,
                          "cannot open " + path.string() + ": it is not a file");
    if (!file.is_open()) return fail_system(StartFailure::CannotRead, "cannot open", path, errno);

    std::string content;
    std::array<char, 16'384> block{};
    while (true) {
        const auto got = ::read(file.get(), block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_system(StartFailure::CannotRead, "cannot read", path, errno);
        if (got == 0) return content;
        content.append(block.data(), static_cast<std::size_t>(got));
        if (content.size() > bytes_max) {
            return fail_system(StartFailure::CannotRead, "cannot read", path, EFBIG);
        }
    }
}

Result<> write_file_atomically(const std::filesystem::path& path, std::string_view content,
                               FileMode mode) {
    const auto temporary = temporary_beside(path);
    if (!write_new_file(temporary, content, mode) ||
        ::rename(temporary.c_str(), path.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        return fail_system(StartFailure::CannotCreate, "cannot write", path, error);
    }
    return sync_path(directory_of(path));
}

bool sync_descriptor(int descriptor) noexcept {
    while (::fsync(descriptor) != 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

Result<> sync_path(const std::filesystem::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (file.is_open() && sync_descriptor(file.get())) return {};
    return fail_system(StartFailure::CannotCreate, "cannot sync", path, errno);
}

Result<> make_private_directory(const std::filesystem::path& path) {
    std::error_code ec;
    if (std::filesystem::is_directory(path, ec)) return {};
    // "data/" must not pass for the parent of itself: parents get the default mode.
    const auto leaf = path.has_filename() ? path : path.parent_path();
    const auto holder = first_there(leaf);
    std::filesystem::create_directories(directory_of(leaf), ec);
    if (::mkdir(leaf.c_str(), 0700) == 0) return sync_names(leaf, holder);
    const int error = errno;
    if (std::filesystem::is_directory(path, ec)) return {};  // another process was faster
    return fail_system(StartFailure::CannotCreate, "cannot create the folder", path, error);
}

Result<MadeFolders> MadeFolders::make(const std::filesystem::path& path) {
    MadeFolders folders;
    std::error_code ec;
    auto at = path.has_filename() ? path : path.parent_path();
    for (; !std::filesystem::exists(at, ec) && at != directory_of(at); at = directory_of(at))
        folders.made_.push_back(at);
    if (auto done = make_private_directory(path); !done) return std::unexpected(done.error());
    return folders;
}

MadeFolders::~MadeFolders() {
    for (const auto& folder : made_) {
        if (::rmdir(folder.c_str()) != 0 && errno != ENOENT) return;
    }
}

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
    constexpr int kFlags = O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW;
    for (;;) {
        int descriptor = ::open(path.c_str(), kFlags);
        const bool is_new = descriptor < 0 && errno == ENOENT;
        if (is_new) descriptor = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0600);
        if (descriptor < 0 && is_new && errno == EEXIST) continue;
        if (descriptor < 0)
            return fail_system(StartFailure::CannotCreate, "cannot lock", path, errno);
        FileLock lock(descriptor, is_new ? path : std::filesystem::path());
        int locked = ::flock(descriptor, LOCK_EX);
        while (locked != 0 && errno == EINTR) locked = ::flock(descriptor, LOCK_EX);
        if (locked != 0) return fail_system(StartFailure::CannotCreate, "cannot lock", path, errno);
        // Who held it before may have removed the file that it had made.
        if (is_still_at(descriptor, path)) return lock;
        lock.keep();
    }
}

FileLock::~FileLock() {
    if (descriptor_ < 0) return;
    if (!made_.empty()) ::unlink(made_.c_str());  // while it is held
    ::close(descriptor_);
}

}  // namespace fencegate
