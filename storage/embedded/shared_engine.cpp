// The engine in PostgreSQL, behind the data folder of its gateway.
#include "base/start_failure.hpp"
#include "base/uuid.hpp"
#include "storage/batch/batcher.hpp"
#include "storage/batch/store_thread.hpp"
#include "storage/model/engine.hpp"
#include "storage/postgres/postgres_store.hpp"
#include "storage/sqlite/folder_lock.hpp"
#include "storage/sqlite/folder_survey.hpp"

#include <fstream>
#include <system_error>
#include <utility>

namespace fencegate::storage {
namespace {

// A folder's keys and certificates belong to one gateway, wherever its store is.
class StoreOfFolder final : public postgres::PostgresStore {
public:
    StoreOfFolder(sqlite::FolderLock lock, Parts parts, const Clock& clock)
        : PostgresStore(std::move(parts), clock), lock_(std::move(lock)) {}

private:
    sqlite::FolderLock lock_;
};

// Whoever then asked for the other store would find it empty, and its tokens begin anew.
Result<> refuse_other_store(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (!std::filesystem::exists(folder / "store.db", ignored)) return {};
    return fail_start(StartFailure::BadConfig,
                      "The data folder " + folder.string() +
                          " has a store of its own, store.db, and the configuration names one in "
                          "PostgreSQL. Take another folder for it.");
}

// What lies in the file that is locked tells a later start on SQLite that there was a store.
void remember_store(const std::filesystem::path& folder) {
    std::error_code ignored;
    const auto file = folder / sqlite::kLockFile;
    if (std::filesystem::file_size(file, ignored) > 0) return;
    std::ofstream(file, std::ios::app) << "The store of this folder is in PostgreSQL.\n";
}

std::vector<std::string> traces_of(const EngineOptions& options) {
    auto names = options.files_made;
    names.emplace_back(sqlite::kLockFile);
    return names;
}

std::string session_name(const Clock& clock, Random& random) {
    return "fencegate " + to_hex(uuid_v7(clock.wall_now(), random));
}

Result<> refuse_failed(const std::optional<Failure>& failure) {
    if (!failure) return {};
    const auto why =
        failure->kind == Failure::Kind::Damaged ? StartFailure::BadData : StartFailure::Unavailable;
    return fail_start(why, "The store could not be read: " + failure->message + ".");
}

}  // namespace

Result<std::unique_ptr<Engine>> open_shared_engine(EngineOptions options, const std::string& url,
                                                   const Clock& clock, Random& random,
                                                   StoreObserver& observer) {
    sqlite::Traces traces(options.data_dir, traces_of(options));
    auto lock = sqlite::FolderLock::take(options.data_dir);
    if (!lock) return std::unexpected(lock.error());
    if (auto done = refuse_other_store(options.data_dir); !done)
        return std::unexpected(done.error());
    const auto before_writing = [&](const std::optional<ClockAnchor>& anchor) {
        StoreClock time(anchor, clock);
        time.look(clock.boot_now());
        observer.on_clock(time.wall().offset());
        return options.before_writing ? options.before_writing() : Result<>();
    };
    auto parts = postgres::PostgresStore::prepare(url, session_name(clock, random), before_writing);
    if (!parts) {
        traces.remove();  // while the lock is held
        return std::unexpected(parts.error());
    }
    traces.keep();
    remember_store(options.data_dir);
    auto store = std::make_unique<StoreOfFolder>(*std::move(lock), *std::move(parts), clock);
    const auto& failure = store->failure();
    auto batcher = std::make_unique<Batcher>(std::move(store), options.classes, options.wait_limits,
                                             clock, random, observer, options.retention);
    if (auto sound = refuse_failed(failure); !sound) return std::unexpected(sound.error());
    return std::make_unique<StoreThread>(std::move(options), clock, std::move(batcher));
}

}  // namespace fencegate::storage
