#pragma once
// FG_CHECK: an invariant whose loss would move money or tokens wrongly. Always on, always fatal:
// a gateway that is not sure stops, and the store recovers from what is on disk.
// What the outside world can cause (client, disk, network) is a Result, never a check.

#include <cstdio>
#include <cstdlib>

namespace fencegate {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "fencegate: invariant lost: %s (%s:%d); stopping\n", condition, file,
                 line);
    std::abort();
}

}  // namespace fencegate

#define FG_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::fencegate::check_failed(#condition, __FILE__, __LINE__))
