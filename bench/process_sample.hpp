#pragma once
// What a process has used so far, read from /proc: CPU by thread, bytes sent to the disk.
//
// Thread rule: pure functions. Errors: none; what may not be read (io of another user) is 0.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fencegate::bench {

struct CpuTime {
    std::int64_t user_ns = 0;
    std::int64_t system_ns = 0;

    [[nodiscard]] std::int64_t total_ns() const { return user_ns + system_ns; }
};

struct ThreadSample {
    std::string name;
    CpuTime cpu;
};

struct ProcessSample {
    CpuTime cpu;
    std::uint64_t written_bytes = 0;
    std::map<pid_t, ThreadSample> threads;
};

// Threads of one name taken together.
struct ThreadUse {
    std::string name;
    std::size_t threads = 0;
    CpuTime cpu;
};

struct ProcessUse {
    CpuTime cpu;
    std::uint64_t written_bytes = 0;
    std::vector<ThreadUse> threads;  // the busiest first
};

// Nothing when there is no such process.
[[nodiscard]] std::optional<ProcessSample> sample_process(pid_t pid);
[[nodiscard]] CpuTime own_cpu_time();
[[nodiscard]] ProcessUse use_between(const ProcessSample& before, const ProcessSample& after);

}  // namespace fencegate::bench
