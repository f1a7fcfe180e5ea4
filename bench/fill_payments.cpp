// Makes a data folder with many payments, captured at once, for `fencegate serve` to open:
//
//   fencegate_bench_fill_payments FOLDER PAYMENTS      FOLDER is empty or does not exist
//
// They go through the store's own commands, in batches, with random ids (payment_ids.hpp) and
// idempotency keys. Only durability is put off to the end: the file is written without a log and
// synced once, because a fill that was cut short is thrown away. On stdout: a line for each tenth
// of the payments, with the time until which they were made.
//
// Thread rule: one thread, as the store. Exit code 0: all of them were made and are on the disk.
#include "base/digest.hpp"
#include "base/file.hpp"
#include "bench/now.hpp"
#include "bench/payment_ids.hpp"
#include "storage/batch/batcher.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::bench {
namespace {

using storage::Request;
using storage::Ticket;

// A payment books two entries, and the journal sets a mark a batch at most: with these batches the
// marks stand as close as in a store that grew slowly.
constexpr std::size_t kBatch = 2'048;
constexpr std::size_t kTold = 10;

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "fencegate_bench_fill_payments: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(Result<T> result) {
    if (!result) give_up(result.error().detail);
    return *std::move(result);
}

storage::Operation create(std::size_t number, Random& random) {
    storage::CreatePayment create;
    create.currency = "EUR";
    create.metadata_json = R"({"order":")" + std::to_string(number) + "\"}";
    append_filled_id(create.id, number);
    // 10.00 to 1,010.00, and the same in each run.
    create.amount_minor = 1'000 + static_cast<std::int64_t>(splitmix64(number) % 100'000);
    Uuid key;
    random.fill(key.bytes);
    create.idempotency.key = to_string(key);
    create.idempotency.digest = storage::key_digest("bench", create.idempotency.key);
    create.idempotency.fingerprint = sha256({"POST", "/v1/payments", create.id});
    return create;
}

class Filler {
public:
    explicit Filler(const std::filesystem::path& folder)
        : file_(folder / "store.db"),
          store_(open(folder), lockmgr::LockClasses({}), {}, clock_, random_, nobody_) {}

    void fill(std::size_t payments) {
        const auto begin = now_ns();
        for (std::size_t made = 0; made < payments;) {
            const auto until = std::min(payments, made + kBatch);
            const bool is_news = made * kTold / payments != until * kTold / payments;
            while (made < until) ask(create(made++, random_));
            run();
            if (is_news) tell(made, begin);
        }
    }

    void finish() {
        connection_->exec("PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL");
        if (const auto& failure = connection_->failure()) give_up(failure->message);
        store_.close();
        if (store_.fatal()) give_up(*store_.fatal());
        if (auto synced = sync_path(file_); !synced) give_up(synced.error().detail);
    }

private:
    // The random trees of 10,000,000 payments fit into the cache.
    std::unique_ptr<storage::Store> open(const std::filesystem::path& folder) {
        auto lock = must(storage::sqlite::FolderLock::take(folder));
        auto connection = must(storage::sqlite::open_database(folder));
        connection->exec(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000000");
        connection_ = connection.get();
        return std::make_unique<storage::sqlite::SqliteStore>(std::move(lock),
                                                              std::move(connection), clock_);
    }

    void ask(storage::Operation operation) {
        requests_.push_back({Ticket(++tickets_), nullptr, {"bench", "fill", std::move(operation)}});
    }

    void run() {
        for (const auto& routed : store_.run(requests_, {})) {
            if (const auto& error = routed.delivery.answer.error) give_up(error->detail);
        }
        requests_.clear();
    }

    // The times are those by which lists and statements are asked for.
    void tell(std::size_t made, std::int64_t begin_ns) {
        const auto now = std::time(nullptr);
        std::tm utc{};
        ::gmtime_r(&now, &utc);
        char text[32];
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
        std::printf("%zu %s\n", made, text);
        std::fflush(stdout);
        const auto seconds = static_cast<double>(now_ns() - begin_ns) / 1e9;
        std::fprintf(stderr, "made %zu payments in %.0f s, %.0f a second\n", made, seconds,
                     static_cast<double>(made) / seconds);
    }

    std::filesystem::path file_;
    SystemClock clock_;
    BufferedRandom random_;
    storage::StoreObserver nobody_;
    storage::sqlite::Connection* connection_ = nullptr;  // the store's
    storage::Batcher store_;
    std::vector<Request> requests_;
    std::uint64_t tickets_ = 0;
};

int run(const std::filesystem::path& folder, std::string_view count) {
    std::size_t payments = 0;
    const auto end = count.data() + count.size();
    const auto parsed = std::from_chars(count.data(), end, payments);
    if (parsed.ec != std::errc{} || parsed.ptr != end || payments == 0)
        give_up("the number of payments is not one");
    std::filesystem::create_directories(folder);
    if (!std::filesystem::is_empty(folder)) give_up(folder.string() + " is not empty");
    Filler filler(folder);
    filler.fill(payments);
    filler.finish();
    return 0;
}

}  // namespace
}  // namespace fencegate::bench

int main(int argc, char** argv) {
    if (argc == 3) return fencegate::bench::run(argv[1], argv[2]);
    std::fputs("usage: fencegate_bench_fill_payments FOLDER PAYMENTS\n", stderr);
    return 64;
}
