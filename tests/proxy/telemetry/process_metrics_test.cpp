#include "proxy/telemetry/process_metrics.hpp"

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <map>
#include <string>

namespace fencegate::proxy {
namespace {

std::map<std::string, double> sample(const ProcessMetrics& process) {
    std::map<std::string, double> values;
    for (const auto& family : process.Collect()) {
        const auto& metric = family.metric.at(0);
        values[family.name] = family.type == prometheus::MetricType::Counter ? metric.counter.value
                                                                             : metric.gauge.value;
    }
    return values;
}

TEST(ProcessMetrics, EveryConventionalSeriesIsExportedAndPlausible) {
    const auto values = sample(ProcessMetrics());

    EXPECT_TRUE(values.contains("process_cpu_seconds_total"));
    for (const char* series : {"process_resident_memory_bytes", "process_virtual_memory_bytes",
                               "process_open_fds", "process_max_fds", "process_threads"}) {
        ASSERT_TRUE(values.contains(series)) << series;
        EXPECT_GT(values.at(series), 0) << series;
    }
    EXPECT_GT(values.at("process_start_time_seconds"), 1.6e9);
}

TEST(ProcessMetrics, WithoutProcNothingIsMadeUp) {
    const auto values = sample(ProcessMetrics("/nonexistent"));

    EXPECT_EQ(values.size(), 1U);
    EXPECT_TRUE(values.contains("process_max_fds"));
}

TEST(ProcessMetrics, ReadsTheStatLineOfAProgramWithAHostileName) {
    const auto stat = parse_process_stat(
        "42 (a) b) 9 (c) S 1 42 42 0 -1 4194560 9 0 0 0 120 30 0 0 20 0 8 0 5000 1048576 256 1 2");

    ASSERT_TRUE(stat.has_value());
    EXPECT_EQ(stat->user_ticks, 120U);
    EXPECT_EQ(stat->system_ticks, 30U);
    EXPECT_EQ(stat->threads, 8U);
    EXPECT_EQ(stat->start_ticks, 5000U);
    EXPECT_EQ(stat->virtual_bytes, 1048576U);
    EXPECT_EQ(stat->resident_pages, 256U);
}

TEST(ProcessMetrics, TextThatIsNotProcsIsRefused) {
    EXPECT_FALSE(parse_process_stat("").has_value());
    EXPECT_FALSE(parse_process_stat("42 (short) S 1 2").has_value());
    EXPECT_FALSE(parse_boot_seconds("cpu 1 2 3\n").has_value());
    EXPECT_EQ(parse_boot_seconds("cpu 1\nbtime 1700000000\nx 1\n"), 1'700'000'000U);
}

}  // namespace
}  // namespace fencegate::proxy
