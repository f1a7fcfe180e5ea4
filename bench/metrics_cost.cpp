// What the metrics cost, in CPU time, so that what else the machine does is not the question:
// recording one critical section, on the threads that serve it; and a scrape (collecting every
// series, writing the text, compressing it), on the admin listener's thread.
#include "bench/histogram.hpp"
#include "lockmgr/guards.hpp"
#include "proxy/admin/admin_service.hpp"
#include "proxy/api/routes.hpp"
#include "proxy/http/gzip.hpp"
#include "proxy/telemetry/hold_ages.hpp"
#include "proxy/telemetry/hot_locks.hpp"
#include "proxy/telemetry/metrics.hpp"
#include "proxy/telemetry/store_metrics.hpp"
#include "storage/batch/last_writes.hpp"
#include "storage/unit/lease_statistics.hpp"

#include <cstdio>
#include <ctime>
#include <span>
#include <string>
#include <vector>

namespace fencegate::bench {
namespace {

constexpr int kScrapes = 300;
constexpr int kSections = 200'000;
constexpr std::size_t kSectionsPerBatch[] = {1, 10};
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
            metrics.acquire_wait(at, proxy::AcquireOutcome::Granted, waited);
            metrics.lease_ended(at, lockmgr::LeaseEnding::Released, waited, waited);
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

// As the gateway's one observer, without watchers.
class News final : public proxy::StoreMetrics {
public:
    News(proxy::Metrics& metrics, proxy::HotLocks& hot) : StoreMetrics(metrics), hot_(hot) {}
    void on_contentions(const std::vector<storage::Contention>&) override {}
    void on_notices(std::vector<storage::LockNotice> notices) override {
        hot_.note_notices(notices);
    }

private:
    proxy::HotLocks& hot_;
};

// What the store has to tell of the three commands of a safe refund.
struct Step {
    std::vector<storage::StoreEvent> events;
    std::vector<storage::LockNotice> notices;
};

std::vector<Step> safe_refunds(std::size_t count) {
    using namespace storage;
    using namespace std::chrono_literals;
    std::vector<Step> steps(3);
    for (std::int64_t number = 1; number <= static_cast<std::int64_t>(count); ++number) {
        const lockmgr::FencingToken token(number);
        steps[0].events.emplace_back(AcquireEvent{0, AcquireEvent::Outcome::Granted, Seconds(0)});
        const auto lock = lockmgr::payment_lock("pay_" + std::to_string(number));
        steps[0].notices.push_back({.locks = {lock}, .token = token});
        FenceEvent check{.lock_class = 0, .verdict = lockmgr::FenceVerdict::Accepted};
        check.token = token;
        check.share_left = .99;
        steps[1].events.emplace_back(check);
        steps[1].events.emplace_back(PaymentEvent{PaymentEvent::Operation::Refund, true});
        steps[1].events.emplace_back(IdempotencyEvent{IdempotencyEvent::Result::New});
        steps[2].events.emplace_back(LeaseEndEvent{.lock_class = 0,
                                                   .ending = lockmgr::LeaseEnding::Released,
                                                   .token = token,
                                                   .held = 4ms,
                                                   .ttl = 30s,
                                                   .remaining = 29'996ms});
        steps[2].notices.push_back(
            {.kind = LockNotice::Kind::Ended, .locks = {lock}, .token = token});
    }
    return steps;
}

// Microseconds of CPU for each safe refund, if so many share their commits.
double record(std::size_t per_batch) {
    using namespace std::chrono_literals;
    const auto labels = proxy::route_labels({&proxy::api_routes(), &proxy::admin_routes()});
    proxy::Metrics metrics(with_classes(2, labels));
    const SystemClock clock;
    proxy::HotLocks hot(clock);
    const lockmgr::LockClasses lock_classes({lockmgr::LockClass{.name = "payments"}});
    proxy::HoldAges holds(lock_classes, clock);
    News news(metrics, hot);
    storage::LastWrites last_writes;
    storage::LeaseStatistics statistics(2);
    const storage::BatchStats stats{.commands = per_batch, .commit = 700us, .wrote = true};
    storage::ClassLevels levels;
    levels.held = 7;
    auto steps = safe_refunds(per_batch);
    const auto begin = cpu_ns();
    for (std::size_t done = 0; done < kSections; done += per_batch) {
        for (auto& [events, notices] : steps) {
            last_writes.complete(events);
            statistics.note(events, BootTime(100s));
            news.on_events(events);
            for (std::size_t at = 0; at < 2; ++at) news.on_levels(at, levels);
            hot.note_notices(notices);
            holds.note_notices(notices);
            news.on_batch(stats);
            for (std::size_t request = 0; request < per_batch; ++request)
                metrics.http_request(proxy::Listener::Public, 1, 201, 1'300us);
        }
    }
    return static_cast<double>(cpu_ns() - begin) / 1e3 / kSections;
}

double ms(double ns) { return ns / 1e6; }

void measure(std::size_t classes) {
    const auto labels = proxy::route_labels({&proxy::api_routes(), &proxy::admin_routes()});
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
    for (const auto per_batch : fencegate::bench::kSectionsPerBatch)
        std::printf("recording a safe refund, %zu in a batch: %.2f us of CPU\n", per_batch,
                    fencegate::bench::record(per_batch));
    std::printf(
        "\n"
        "| lock classes | series | text | p50 / p99 | with gzip | compressed |\n"
        "|---|---|---|---|---|---|\n");
    for (const auto classes : fencegate::bench::kClassCounts) fencegate::bench::measure(classes);
    return 0;
}
