// What a live lease costs: memory, and the CPU time of a grant, a renewal, a release and an expiry
// beside 1,000, 100,000 and 1,000,000 live leases; and what an expiry storm does to who asks
// meanwhile. Drives the store itself, without the edge: the edge does not know how many leases
// live.
//
//   fencegate_bench_leases [FOLDER]     the store is put in a new folder in FOLDER (".")
//
// Thread rule: one thread, as the store. Exit code 0: every answer was a success.
#include "bench/histogram.hpp"
#include "bench/now.hpp"
#include "storage/batch/batcher.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/sqlite_store.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <malloc.h>
#include <string>
#include <vector>

namespace fencegate::bench {
namespace {

using storage::Request;
using storage::Ticket;

constexpr std::size_t kBatch = 10;  // as the group commit makes them under load
constexpr std::size_t kFillBatch = 256;
constexpr std::size_t kOperations = 4'000;
constexpr std::size_t kStorm = 100'000;
constexpr std::int64_t kStormEveryNs = 1'000'000;  // a request falls due each millisecond
constexpr Duration kLong{3'600'000};
constexpr Duration kShort{600'000};

// The system's, and an offset by which time can be made to pass.
class ShiftedClock final : public Clock {
public:
    [[nodiscard]] BootTime boot_now() const override { return system_.boot_now() + shift_; }
    [[nodiscard]] WallTime wall_now() const override { return system_.wall_now() + shift_; }
    void shift(Duration by) { shift_ += by; }

private:
    SystemClock system_;
    Duration shift_{0};
};

std::int64_t cpu_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

template <class T>
T must(Result<T> result) {
    if (result) return *std::move(result);
    std::fprintf(stderr, "%s\n", result.error().detail.c_str());
    std::exit(1);
}

class Bench {
public:
    explicit Bench(const std::filesystem::path& folder)
        : store_(open(folder, clock_), lockmgr::LockClasses({}), {}, clock_, random_, nobody_) {}

    // Locks of a new series of names; returns the ids of the leases.
    std::vector<Uuid> grant(std::size_t count, Duration ttl, std::size_t batch) {
        const auto prefix = "scale/" + std::to_string(++series_) + "/";
        std::vector<Uuid> leases;
        leases.reserve(count);
        for (std::size_t from = 0; from < count; from += batch) {
            for (auto at = from; at < std::min(count, from + batch); ++at) {
                const auto name = prefix + std::to_string(at * 7'919 % count);
                ask(storage::AcquireLock{
                    .locks = {must(lockmgr::LockName::parse(name))}, .ttl = ttl, .owner = "bench"});
            }
            for (const auto& answer : run()) leases.push_back(*parse_uuid(answer.resource_id));
        }
        return leases;
    }

    template <class Operation>
    void each(const std::vector<Uuid>& leases) {
        for (std::size_t at = 0; at < leases.size(); ++at) {
            Operation operation;
            operation.lease_id = leases[at];
            ask(std::move(operation));
            if (requests_.size() == kBatch || at + 1 == leases.size()) run();
        }
    }

    // Until everything due has been done; returns how many batches it took.
    std::size_t run_due() {
        std::size_t batches = 0;
        while (store_.next_deadline() && *store_.next_deadline() <= clock_.boot_now()) {
            run();
            ++batches;
        }
        return batches;
    }

    // Requests that fall due each millisecond while the storm passes; the delay of each.
    Histogram ride_storm() {
        Histogram delays;
        const auto begin = now_ns();
        std::int64_t asked = 0;
        while (store_.next_deadline() && *store_.next_deadline() <= clock_.boot_now()) {
            const auto first = asked;
            while (begin + asked * kStormEveryNs <= now_ns()) {
                ask(storage::AcquireLock{
                    .locks = {must(lockmgr::LockName::parse("calm/" + std::to_string(asked++)))},
                    .ttl = kLong});
            }
            run();
            for (auto at = first; at < asked; ++at)
                delays.record(now_ns() - (begin + at * kStormEveryNs));
        }
        return delays;
    }

    void pass(Duration time) { clock_.shift(time); }

private:
    static std::unique_ptr<storage::Store> open(const std::filesystem::path& folder,
                                                const Clock& clock) {
        auto lock = must(storage::sqlite::FolderLock::take(folder));
        return std::make_unique<storage::sqlite::SqliteStore>(
            std::move(lock), must(storage::sqlite::open_database(folder)), clock);
    }

    void ask(storage::Operation operation) {
        requests_.push_back({Ticket(++tickets_), nullptr, {"bench", "r", std::move(operation)}});
    }

    std::vector<storage::Answer> run() {
        std::vector<storage::Answer> answers;
        for (auto& routed : store_.run(requests_, {})) {
            if (routed.delivery.answer.error) {
                std::fprintf(stderr, "%s\n", routed.delivery.answer.error->detail.c_str());
                std::exit(1);
            }
            answers.push_back(std::move(routed.delivery.answer));
        }
        requests_.clear();
        store_.checkpoint_if_grown();
        return answers;
    }

    ShiftedClock clock_;
    SystemRandom random_;
    storage::StoreObserver nobody_;
    storage::Batcher store_;
    std::vector<Request> requests_;
    std::uint64_t tickets_ = 0;
    std::size_t series_ = 0;
};

template <class Work>
double cpu_us_each(std::size_t count, Work work) {
    const auto before = cpu_ns();
    work();
    return static_cast<double>(cpu_ns() - before) / 1e3 / static_cast<double>(count);
}

void measure(const std::filesystem::path& folder, std::size_t live) {
    const auto heap_before = ::mallinfo2().uordblks;
    Bench bench(folder);
    bench.grant(live, kLong, kFillBatch);
    const auto heap = ::mallinfo2().uordblks - heap_before;
    std::vector<Uuid> leases;
    const auto grant =
        cpu_us_each(kOperations, [&] { leases = bench.grant(kOperations, kShort, kBatch); });
    const auto renew = cpu_us_each(kOperations, [&] { bench.each<storage::RenewLease>(leases); });
    const std::vector<Uuid> half(leases.begin(), leases.begin() + kOperations / 2);
    const auto release = cpu_us_each(half.size(), [&] { bench.each<storage::ReleaseLease>(half); });
    bench.pass(kShort);
    const auto expire = cpu_us_each(half.size(), [&] { bench.run_due(); });
    std::printf("| %zu | %zu B | %.1f | %.1f | %.1f | %.1f |\n", live, heap / live, grant, renew,
                release, expire);
    std::fflush(stdout);
}

void storm(const std::filesystem::path& folder) {
    Bench bench(folder);
    std::fprintf(stderr, "granting %zu leases that expire together\n", kStorm);
    bench.grant(kStorm, kLong, kFillBatch);
    bench.pass(kLong);
    const auto begin = now_ns();
    const auto delays = bench.ride_storm();
    const auto ms = [&](double quantile) {
        return static_cast<double>(delays.percentile(quantile)) / 1e6;
    };
    std::printf(
        "\n%zu leases expired at once, in %.2f s; requests due each millisecond meanwhile waited "
        "p50 %.1f ms, p99 %.1f ms, max %.1f ms\n",
        kStorm, static_cast<double>(now_ns() - begin) / 1e9, ms(0.5), ms(0.99),
        static_cast<double>(delays.max()) / 1e6);
}

int run(const std::filesystem::path& parent) {
    std::printf(
        "| live leases | heap a lease | grant | renewal | release | expiry |\n"
        "|---|---|---|---|---|---|\n");
    for (const std::size_t live : {1'000, 100'000, 1'000'000, 0}) {
        auto pattern = (parent / "leases.XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) {
            std::perror(pattern.c_str());
            return 1;
        }
        if (live > 0) {
            std::fprintf(stderr, "granting %zu leases\n", live);
            measure(pattern, live);
        } else {
            storm(pattern);
        }
        std::filesystem::remove_all(pattern);
    }
    std::printf("\nCPU microseconds of the store thread an operation, in batches of %zu.\n",
                kBatch);
    return 0;
}

}  // namespace
}  // namespace fencegate::bench

int main(int argc, char** argv) { return fencegate::bench::run(argc > 1 ? argv[1] : "."); }
