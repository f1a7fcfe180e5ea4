#include "base/start_failure.hpp"
#include "storage/batch/batcher.hpp"
#include "storage/batch/store_thread.hpp"
#include "storage/batch/sweeper.hpp"
#include "storage/model/engine.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/disk_failure.hpp"
#include "storage/sqlite/folder_survey.hpp"
#include "storage/sqlite/row_set.hpp"
#include "storage/sqlite/sqlite_store.hpp"

#include <tuple>
#include <utility>

namespace fencegate::storage {
namespace {

Result<> refuse_failed(const std::optional<sqlite::Failure>& failure,
                       const std::filesystem::path& folder) {
    if (!failure) return {};
    if (failure->kind == sqlite::Failure::Kind::Fatal)
        return sqlite::disk_failed(folder, failure->message);
    return fail_start(StartFailure::BadData, "The store in " + folder.string() +
                                                 " is damaged: " + failure->message +
                                                 ". Restore a backup into another folder.");
}

// All that a start reads, read and thrown away again: a page that is damaged is met before the log
// has been copied over it.
Result<> rehearse(sqlite::Connection& connection, const EngineOptions& options, const Clock& clock,
                  StoreObserver& observer) {
    {
        sqlite::RowSet rows(connection, clock);
        std::ignore = rows.ledger.read();
        const Sweeper sweeper(rows.upkeep, options.retention, clock.boot_now());
        std::ignore = rows.leases.all_live();
        std::ignore = rows.clock.look(clock.boot_now());
        observer.on_clock(rows.clock.wall().offset());
    }
    if (auto sound = refuse_failed(connection.failure(), options.data_dir); !sound) return sound;
    return options.before_writing ? options.before_writing() : Result<>();
}

std::vector<std::string> traces_of(const EngineOptions& options) {
    auto names = options.files_made;
    names.emplace_back("store.lock");
    return names;
}

}  // namespace

Result<std::unique_ptr<Engine>> open_embedded_engine(EngineOptions options, const Clock& clock,
                                                     Random& random, StoreObserver& observer) {
    sqlite::Traces traces(options.data_dir, traces_of(options));
    auto lock = sqlite::FolderLock::take(options.data_dir);
    if (!lock) return std::unexpected(lock.error());
    auto connection = sqlite::open_database(
        options.data_dir, sqlite::Origin::Unchanged,
        [&](sqlite::Connection& opened) { return rehearse(opened, options, clock, observer); });
    if (!connection) {
        traces.remove();  // while the lock is held
        return std::unexpected(connection.error());
    }
    traces.keep();
    const auto& failure = (*connection)->failure();
    auto store =
        std::make_unique<sqlite::SqliteStore>(*std::move(lock), *std::move(connection), clock);
    auto batcher = std::make_unique<Batcher>(std::move(store), options.classes, options.wait_limits,
                                             clock, random, observer, options.retention);
    if (auto sound = refuse_failed(failure, options.data_dir); !sound)
        return std::unexpected(sound.error());
    return std::make_unique<StoreThread>(std::move(options), clock, std::move(batcher));
}

}  // namespace fencegate::storage
