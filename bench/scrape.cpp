// What a scrape costs: collecting every series, writing the text, compressing it. In the process,
// without TLS; on the admin listener's thread this is what stands between request and reply. In CPU
// time: what else the machine does is not the question.
#include "bench/histogram.hpp"
#include "proxy/admin_service.hpp"
#include "proxy/gzip.hpp"
#include "proxy/metrics.hpp"
#include "proxy/routes.hpp"

#include <cstdio>
#include <ctime>
#include <span>
#include <string>
#include <vector>

namespace fencegate::bench {
namespace {

constexpr int kScrapes = 300;
constexpr std::size_t kClassCounts[] = {2, 10, 100};

proxy::MetricsOptions with_classes(std::size_t count, std::span<const proxy::RouteLabels> routes) {
    proxy::MetricsOptions options;
    options.version = "bench";
    for (std::size_t index = 1; index < count; ++index)
        options.lock_classes.push_back("class-" + std::to_string(index));
    options.lock_classes.push_back("other");
    options.routes = routes;
    return options;
}

// Every series gets a value: zeros are written faster.
void use(proxy::Metrics& metrics, std::size_t classes, std::size_t routes) {
    using namespace std::chrono_literals;
    for (std::size_t at = 0; at < classes; ++at) {
        metrics.acquire(at, proxy::AcquireOutcome::Granted);
        for (const auto waited : {900us, 12'345us, 1'234'567us}) {
            metrics.acquire_wait(at, waited);
            metrics.lease_ended(at, proxy::HoldEnd::Released, waited, waited);
        }
    }
    for (std::size_t at = 0; at < routes; ++at)
        metrics.http_request(proxy::Listener::Public, at, 200, 1'234us);
}

std::int64_t cpu_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

double ms(double ns) { return ns / 1e6; }

void measure(std::size_t classes) {
    const auto labels = proxy::route_labels(proxy::AdminService::route_labels());
    proxy::Metrics metrics(with_classes(classes, labels));
    use(metrics, classes, labels.size());
    const BootTime now{std::chrono::seconds(1'000)};
    Histogram plain;
    Histogram compressed;
    std::string text;
    std::string small;
    for (int scrape = 0; scrape < kScrapes; ++scrape) {
        const auto begin = cpu_ns();
        text = metrics.serialize(now);
        const auto written = cpu_ns();
        small = proxy::gzip(text);
        compressed.record(cpu_ns() - begin);
        plain.record(written - begin);
    }
    std::size_t series = 0;
    for (std::size_t at = 0; at != std::string::npos; at = text.find('\n', at + 1))
        series += at + 1 < text.size() && text[at + 1] != '#' ? 1 : 0;
    const auto quantile = [](const Histogram& of, double fraction) {
        return ms(static_cast<double>(of.percentile(fraction)));
    };
    std::printf("| %zu | %zu | %zu KB | %.2f / %.2f ms | %.2f / %.2f ms | %zu KB |\n", classes,
                series, text.size() / 1'000, quantile(plain, .5), quantile(plain, .99),
                quantile(compressed, .5), quantile(compressed, .99), small.size() / 1'000);
}

}  // namespace
}  // namespace fencegate::bench

int main() {
    std::printf(
        "| lock classes | series | text | p50 / p99 | with gzip | compressed |\n"
        "|---|---|---|---|---|---|\n");
    for (const auto classes : fencegate::bench::kClassCounts) fencegate::bench::measure(classes);
    return 0;
}
