// The critical-section benchmark: how many safe refunds a second a gateway does, and at what cost.
//
// A safe refund is what fencegate is for: acquire the payment's lock, refund under its token,
// release. Three requests, three durable answers. See bench/README.md for how to read the figures.
//
// Threads: the workers run the load; the main thread sleeps, and samples CPU at the window's ends.
// Exit codes: 0 every answer was the expected one, 1 not so or the set-up failed, 64 bad options.
#include "bench/bench_options.hpp"
#include "bench/now.hpp"
#include "bench/process_sample.hpp"
#include "bench/report.hpp"
#include "bench/worker.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <csignal>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <poll.h>
#include <random>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fencegate::bench {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 64;

struct Usage {
    CpuTime client;
    std::optional<ProcessSample> server;
};

Usage sample(const BenchOptions& options) {
    Usage usage{.client = own_cpu_time(), .server = {}};
    if (options.server_pid > 0) usage.server = sample_process(options.server_pid);
    return usage;
}

std::string random_run() {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", std::random_device{}());
    return text;
}

class Run {
public:
    explicit Run(const BenchOptions& options)
        : options_(options),
          context_(make_tls_context(options.ca_file)),
          all_ended_(::eventfd(0, EFD_CLOEXEC)),
          gate_(static_cast<std::ptrdiff_t>(options.threads + 1)) {
        const auto run = random_run();
        for (std::size_t i = 0; i < options.threads; ++i) {
            workers_.push_back(std::make_unique<Worker>(options, run, context_.get(), i));
        }
        still_running_ = options.threads;
    }
    ~Run() { ::close(all_ended_); }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    Figures run() {
        std::vector<std::jthread> threads;
        const auto began_ns = now_ns();
        for (auto& worker : workers_) threads.emplace_back([this, &worker] { work(*worker); });
        gate_.arrive_and_wait();  // every payment is created
        std::fprintf(stderr, "created %zu payments in %.2f s\n", setup_.created.load(),
                     static_cast<double>(now_ns() - began_ns) / 1e9);
        open_window();
        gate_.arrive_and_wait();  // the workers may look at the window
        wait_until(window_.start_ns);
        const auto before = sample(options_);
        // An open loop that cannot keep up still counts the cycles that end late.
        const bool is_open_loop = options_.open_loop_rate > 0;
        wait_until(is_open_loop ? std::numeric_limits<std::int64_t>::max() : window_.end_ns);
        const auto after = sample(options_);
        threads.clear();  // joins: the cycles begun are finished
        if (failure_) std::rethrow_exception(failure_);
        return figures(before, after);
    }

private:
    void work(Worker& worker) {
        guarded([&] { worker.create_payments(setup_); });
        gate_.arrive_and_wait();
        gate_.arrive_and_wait();
        if (!has_failed_) guarded([&] { worker.run(window_); });
        const std::uint64_t one = 1;
        if (--still_running_ == 0) static_cast<void>(!::write(all_ended_, &one, sizeof one));
    }

    template <typename Part>
    void guarded(Part part) {
        try {
            part();
        } catch (...) {
            window_.is_over = true;
            if (!has_failed_.exchange(true)) failure_ = std::current_exception();
        }
    }

    void open_window() {
        const auto nanoseconds = [](double s) { return static_cast<std::int64_t>(s * 1e9); };
        window_.operations = options_.operations;
        window_.begin_ns = now_ns();
        window_.start_ns = window_.begin_ns + nanoseconds(options_.warmup);
        if (options_.operations == 0) {
            window_.end_ns = window_.start_ns + nanoseconds(options_.seconds);
        }
    }

    // Returns early once every worker has ended.
    void wait_until(std::int64_t time_ns) const {
        for (auto now = now_ns(); now < time_ns; now = now_ns()) {
            const auto left_ms = (time_ns - now) / 1'000'000 + 1;
            pollfd entry{.fd = all_ended_, .events = POLLIN, .revents = 0};
            if (::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left_ms, 60'000))) > 0) {
                return;
            }
        }
    }

    Figures figures(const Usage& before, const Usage& after) const {
        Figures result;
        for (const auto& worker : workers_) result.tally.merge(worker->tally());
        // Late cycles of an open loop stretch the time they are divided by.
        auto end = result.tally.last_counted_ns;
        if (options_.operations == 0) end = std::max(end, window_.end_ns);
        result.seconds =
            static_cast<double>(std::max<std::int64_t>(0, end - window_.start_ns)) / 1e9;
        result.client_cpu = {.user_ns = after.client.user_ns - before.client.user_ns,
                             .system_ns = after.client.system_ns - before.client.system_ns};
        if (options_.server_pid > 0 && !after.server) {
            std::fprintf(stderr, "process %d is gone\n", static_cast<int>(options_.server_pid));
        }
        if (before.server && after.server) {
            result.server = use_between(*before.server, *after.server);
        }
        result.cipher = workers_.front()->cipher();
        return result;
    }

    const BenchOptions& options_;
    TlsContext context_;
    int all_ended_;
    std::barrier<> gate_;
    std::vector<std::unique_ptr<Worker>> workers_;
    SetupProgress setup_;
    Window window_;
    std::atomic<std::size_t> still_running_{0};
    std::atomic<bool> has_failed_{false};
    std::exception_ptr failure_;  // of the first worker that failed; read after the join
};

int run_benchmark(const BenchOptions& options) {
    Run run(options);
    const auto figures = run.run();
    const auto report =
        options.json ? json_report(options, figures) : text_report(options, figures);
    std::fputs(report.c_str(), stdout);
    if (options.json && figures.tally.unexpected > 0) {
        std::fprintf(stderr, "unexpected: %s\n", figures.tally.first_error.c_str());
    }
    const bool is_clean = figures.tally.unexpected == 0 && figures.tally.unfinished == 0 &&
                          figures.tally.cycles.count() > 0;
    return is_clean ? 0 : kExitFailed;
}

}  // namespace
}  // namespace fencegate::bench

int main(int argc, char** argv) {
    using namespace fencegate::bench;
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    const std::vector<const char*> arguments(argv + 1, argv + argc);
    for (const std::string_view argument : arguments) {
        if (argument != "--help") continue;
        std::fputs(usage().data(), stdout);
        return 0;
    }
    const auto options = parse_options(arguments);
    if (!options) {
        std::fprintf(stderr, "%s; see --help\n", options.error().c_str());
        return kExitUsage;
    }
    try {
        return run_benchmark(*options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "fencegate_bench_critical_section: %s\n", error.what());
        return kExitFailed;
    }
}
