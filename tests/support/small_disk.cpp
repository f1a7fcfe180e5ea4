#include "tests/support/small_disk.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>
#include <unistd.h>

namespace fencegate::testing {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error("small disk: " + what + ": " + std::strerror(errno));
}

void write_text(const char* file, const std::string& text) { std::ofstream(file) << text; }

// Mounts of our own, as root or in a namespace where this user is.
void separate_mounts() {
    const auto user = ::getuid();
    const auto group = ::getgid();
    if (::unshare(CLONE_NEWNS) != 0) {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) fail("no mount namespace");
        write_text("/proc/self/setgroups", "deny");
        write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
        write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    }
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("private mounts");
}

fs::path ballast(const fs::path& folder) { return folder / "ballast"; }

}  // namespace

SmallDisk::SmallDisk(fs::path folder, int mebibytes) : folder_(std::move(folder)) {
    separate_mounts();
    const auto aside = folder_.parent_path() / "aside";
    fs::rename(folder_, aside);
    fs::create_directory(folder_);
    const auto options = "size=" + std::to_string(mebibytes) + "m,mode=0700";
    if (::mount("tmpfs", folder_.c_str(), "tmpfs", 0, options.c_str()) != 0) fail("mount");
    fs::copy(aside, folder_, fs::copy_options::recursive);
}

SmallDisk::~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }

void SmallDisk::fill() const { fill_but(0); }

void SmallDisk::fill_but(std::size_t bytes) const {
    std::error_code ec;
    const auto free = fs::space(folder_, ec).available;
    if (ec || free <= bytes) return;
    const int file = ::open(ballast(folder_).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const auto from = static_cast<off_t>(fs::file_size(ballast(folder_)));
    const int error = ::posix_fallocate(file, from, static_cast<off_t>(free - bytes));
    ::close(file);
    errno = error;
    if (error != 0) fail("fallocate");
}

void SmallDisk::make_room() const { fs::remove(ballast(folder_)); }

}  // namespace fencegate::testing
