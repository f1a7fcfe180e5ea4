// Preloaded into a gateway by a test: one file of its store is on a disk that works, hangs or
// fails as the mapped words say. SQLite asks for these functions by their names in the C library.
#include "tests/support/disk_switch.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <linux/futex.h>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using fencegate::testing::DiskMode;
using fencegate::testing::DiskWords;

DiskWords* map_words() {
    static DiskWords works{};
    const char* const file = std::getenv("FENCEGATE_TEST_DISK");
    if (file == nullptr) return &works;
    const int descriptor = ::open(file, O_RDWR | O_CLOEXEC);
    void* const mapped =
        ::mmap(nullptr, sizeof(DiskWords), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (descriptor >= 0) ::close(descriptor);
    return mapped == MAP_FAILED ? &works : static_cast<DiskWords*>(mapped);
}

DiskWords& words() {
    static DiskWords* const mapped = map_words();
    return *mapped;
}

DiskMode mode() { return DiskMode(words().mode.load()); }

// Whether its path ends in what the test has named.
bool is_chosen(int descriptor) {
    const char* const wanted = std::getenv("FENCEGATE_TEST_DISK_FILE");
    if (wanted == nullptr) return false;
    std::array<char, 32> link{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", descriptor);
    std::array<char, PATH_MAX> path{};
    const auto length = ::readlink(link.data(), path.data(), path.size());
    return length > 0 &&
           std::string_view(path.data(), static_cast<std::size_t>(length)).ends_with(wanted);
}

void wait_while_held() {
    auto& mode_word = words().mode;
    const auto holds = static_cast<std::uint32_t>(DiskMode::Holds);
    if (mode_word == holds) words().held.fetch_add(1);
    while (mode_word == holds) ::syscall(SYS_futex, &mode_word, FUTEX_WAIT, holds, nullptr);
}

int fail() {
    words().failed.fetch_add(1);
    errno = EIO;
    return -1;
}

}  // namespace

extern "C" int fdatasync(int descriptor) {
    if (mode() != DiskMode::Works && is_chosen(descriptor)) {
        wait_while_held();
        if (mode() == DiskMode::FailsSyncs) return fail();
    }
    return static_cast<int>(::syscall(SYS_fdatasync, descriptor));
}

extern "C" ssize_t pread64(int descriptor, void* data, std::size_t size, off64_t offset) {
    if (mode() == DiskMode::FailsReads && is_chosen(descriptor)) return fail();
    return ::syscall(SYS_pread64, descriptor, data, size, offset);
}

extern "C" ssize_t pwrite64(int descriptor, const void* data, std::size_t size, off64_t offset) {
    if (mode() != DiskMode::Works && is_chosen(descriptor)) {
        wait_while_held();
        if (mode() == DiskMode::FailsWrites) {
            ::syscall(SYS_pwrite64, descriptor, data, size / 2, offset);
            return fail();
        }
    }
    return ::syscall(SYS_pwrite64, descriptor, data, size, offset);
}
