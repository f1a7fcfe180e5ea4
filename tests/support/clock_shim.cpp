// Preloaded into a gateway by a test: the wall clock that it reads is off by as many milliseconds
// as the mapped file says, from the next reading on. The boot clock is as it is.
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

const volatile std::int64_t* map_error() {
    static constexpr std::int64_t kNone = 0;
    const char* const file = std::getenv("FENCEGATE_TEST_CLOCK_ERROR");
    if (file == nullptr) return &kNone;
    const int descriptor = ::open(file, O_RDONLY | O_CLOEXEC);
    void* const mapped = ::mmap(nullptr, sizeof kNone, PROT_READ, MAP_SHARED, descriptor, 0);
    if (descriptor >= 0) ::close(descriptor);
    return mapped == MAP_FAILED ? &kNone : static_cast<const std::int64_t*>(mapped);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
    static const volatile std::int64_t* const error_ms = map_error();
    const auto result = ::syscall(SYS_clock_gettime, clock, now);
    if (result != 0 || clock != CLOCK_REALTIME) return static_cast<int>(result);
    const auto ms = *error_ms;
    now->tv_sec += ms / 1'000;
    now->tv_nsec += ms % 1'000 * 1'000'000;
    if (now->tv_nsec < 0) --now->tv_sec, now->tv_nsec += 1'000'000'000;
    if (now->tv_nsec >= 1'000'000'000) ++now->tv_sec, now->tv_nsec -= 1'000'000'000;
    return 0;
}
