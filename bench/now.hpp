#pragma once
// The benchmark's only clock: monotonic nanoseconds.
//
// Thread rule: any thread. Errors: none.

#include <cstdint>
#include <ctime>

namespace fencegate::bench {

[[nodiscard]] inline std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace fencegate::bench
