#pragma once
// ProcessMetrics: the process_* series every Prometheus client library exports and prometheus-cpp
// does not. Owns: reading /proc. Thread rule: immutable after construction; Collect() reads the
// kernel's files and may be called from any thread.
// Errors: a file that cannot be read leaves its series out; a wrong zero would be worse.
// Source: proc(5); metric names from prometheus.io/docs/instrumenting/writing_clientlibs.

#include <prometheus/collectable.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::proxy {

// The fields of /proc/self/stat that are exported, in the kernel's units.
struct ProcessStat {
    std::uint64_t user_ticks = 0;
    std::uint64_t system_ticks = 0;
    std::uint64_t threads = 0;
    std::uint64_t start_ticks = 0;  // after boot
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_pages = 0;
};

// Nullopt if `text` is not what proc(5) describes. The program's name may hold blanks and ')'.
[[nodiscard]] std::optional<ProcessStat> parse_process_stat(std::string_view text);

// The "btime" line of /proc/stat: the boot instant in Unix seconds.
[[nodiscard]] std::optional<std::uint64_t> parse_boot_seconds(std::string_view text);

class ProcessMetrics final : public prometheus::Collectable {
public:
    // `proc` is where procfs is mounted; tests point it elsewhere.
    explicit ProcessMetrics(std::string proc = "/proc");

    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override;

private:
    std::string proc_;
    // Taken once: the kernel derives it from the wall clock, so later reads move when that is set.
    std::optional<std::uint64_t> boot_seconds_;
};

}  // namespace fencegate::proxy
