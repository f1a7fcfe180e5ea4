#include "bench/process_sample.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

namespace fencegate::bench {
namespace {

// proc(5): "PID (NAME) STATE ..." where NAME may hold anything, so the last ')' ends it. User and
// system time are the 14th and 15th field, in clock ticks.
bool read_stat(const std::filesystem::path& file, ThreadSample& sample) {
    std::ifstream in(file);
    std::string line;
    if (!std::getline(in, line)) return false;
    const auto open = line.find('(');
    const auto close = line.rfind(')');
    if (open == std::string::npos || close == std::string::npos) return false;
    sample.name = line.substr(open + 1, close - open - 1);
    std::istringstream fields(line.substr(close + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped;
    std::int64_t user = 0;
    std::int64_t system = 0;
    fields >> user >> system;
    const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
    sample.cpu = {.user_ns = user * tick_ns, .system_ns = system * tick_ns};
    return static_cast<bool>(fields);
}

std::uint64_t read_written_bytes(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string label;
    std::uint64_t value = 0;
    while (in >> label >> value) {
        if (label == "write_bytes:") return value;
    }
    return 0;
}

std::int64_t nanoseconds(const timeval& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_usec} * 1'000;
}

CpuTime difference(const CpuTime& before, const CpuTime& after) {
    return {.user_ns = after.user_ns - before.user_ns,
            .system_ns = after.system_ns - before.system_ns};
}

}  // namespace

std::optional<ProcessSample> sample_process(pid_t pid) {
    const auto folder = std::filesystem::path("/proc") / std::to_string(pid);
    ThreadSample whole;
    if (!read_stat(folder / "stat", whole)) return std::nullopt;
    ProcessSample sample{
        .cpu = whole.cpu, .written_bytes = read_written_bytes(folder / "io"), .threads = {}};
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "task", ec)) {
        ThreadSample thread;
        if (!read_stat(entry.path() / "stat", thread)) continue;  // ended meanwhile
        sample.threads.emplace(std::stoi(entry.path().filename().string()), std::move(thread));
    }
    return sample;
}

CpuTime own_cpu_time() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return {.user_ns = nanoseconds(usage.ru_utime), .system_ns = nanoseconds(usage.ru_stime)};
}

ProcessUse use_between(const ProcessSample& before, const ProcessSample& after) {
    ProcessUse use{.cpu = difference(before.cpu, after.cpu),
                   .written_bytes = after.written_bytes - before.written_bytes,
                   .threads = {}};
    std::map<std::string, ThreadUse> by_name;
    for (const auto& [tid, thread] : after.threads) {
        const auto earlier = before.threads.find(tid);
        const auto cpu = earlier == before.threads.end()
                             ? thread.cpu
                             : difference(earlier->second.cpu, thread.cpu);
        auto& sum = by_name[thread.name];
        sum.name = thread.name;
        ++sum.threads;
        sum.cpu.user_ns += cpu.user_ns;
        sum.cpu.system_ns += cpu.system_ns;
    }
    for (const auto& [name, sum] : by_name) use.threads.push_back(sum);
    std::ranges::sort(use.threads, std::ranges::greater{},
                      [](const ThreadUse& thread) { return thread.cpu.total_ns(); });
    return use;
}

}  // namespace fencegate::bench
