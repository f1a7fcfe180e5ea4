#include "proxy/telemetry/process_metrics.hpp"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace fencegate::proxy {
namespace {

using Families = std::vector<prometheus::MetricFamily>;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Takes the first blank-separated word off `text`.
std::string_view take_word(std::string_view& text) {
    constexpr std::string_view kBlanks = " \n";
    const auto from = text.find_first_not_of(kBlanks);
    if (from == std::string_view::npos) return {};
    text.remove_prefix(from);
    const auto word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    return word;
}

// The kernel counts times in USER_HZ and memory in pages.
double seconds_of(std::uint64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double bytes_of(std::uint64_t pages) {
    return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> count_open_fds(const std::string& proc) {
    std::error_code ec;
    std::filesystem::directory_iterator entry(proc + "/self/fd", ec);
    if (ec) return std::nullopt;
    std::uint64_t count = 0;
    for (const std::filesystem::directory_iterator end; entry != end; entry.increment(ec)) {
        if (ec) return std::nullopt;
        ++count;
    }
    return static_cast<double>(count > 0 ? count - 1 : 0);  // the listing itself holds one open
}

void add(Families& families, const char* name, const char* help, prometheus::MetricType type,
         double value) {
    prometheus::MetricFamily family;
    family.name = name;
    family.help = help;
    family.type = type;
    auto& metric = family.metric.emplace_back();
    if (type == prometheus::MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    families.push_back(std::move(family));
}

void add_gauge(Families& families, const char* name, const char* help, double value) {
    add(families, name, help, prometheus::MetricType::Gauge, value);
}

void add_stat(Families& families, const ProcessStat& stat) {
    add(families, "process_cpu_seconds_total", "User and system CPU time spent.",
        prometheus::MetricType::Counter, seconds_of(stat.user_ticks + stat.system_ticks));
    add_gauge(families, "process_resident_memory_bytes", "Resident memory size.",
              bytes_of(stat.resident_pages));
    add_gauge(families, "process_virtual_memory_bytes", "Virtual memory size.",
              static_cast<double>(stat.virtual_bytes));
    add_gauge(families, "process_threads", "Threads of the process.",
              static_cast<double>(stat.threads));
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
    const auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(name_end + 1);

    // Fields are numbered as in proc(5); the first after the name is 3, the state letter.
    constexpr std::size_t kFirst = 3;
    constexpr std::size_t kLast = 24;
    std::array<std::uint64_t, kLast + 1> fields{};
    for (std::size_t field = kFirst; field <= kLast; ++field) {
        const auto word = take_word(text);
        if (word.empty()) return std::nullopt;
        fields[field] = parse_number(word).value_or(0);  // a letter or a negative: not one of ours
    }
    return ProcessStat{.user_ticks = fields[14],
                       .system_ticks = fields[15],
                       .threads = fields[20],
                       .start_ticks = fields[22],
                       .virtual_bytes = fields[23],
                       .resident_pages = fields[24]};
}

std::optional<std::uint64_t> parse_boot_seconds(std::string_view text) {
    constexpr std::string_view kKey = "\nbtime ";
    const auto at = text.find(kKey);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + kKey.size());
    return parse_number(take_word(text));
}

ProcessMetrics::ProcessMetrics(std::string proc)
    : proc_(std::move(proc)), boot_seconds_(parse_boot_seconds(read_file(proc_ + "/stat"))) {}

Families ProcessMetrics::Collect() const {
    Families families;
    const auto stat = parse_process_stat(read_file(proc_ + "/self/stat"));
    if (stat) add_stat(families, *stat);
    if (stat && boot_seconds_) {
        add_gauge(families, "process_start_time_seconds",
                  "Start time of the process since the Unix epoch.",
                  static_cast<double>(*boot_seconds_) + seconds_of(stat->start_ticks));
    }
    if (const auto open_fds = count_open_fds(proc_)) {
        add_gauge(families, "process_open_fds", "Open file descriptors.", *open_fds);
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        add_gauge(families, "process_max_fds", "Maximum number of open file descriptors.",
                  static_cast<double>(limit.rlim_cur));
    }
    return families;
}

}  // namespace fencegate::proxy
