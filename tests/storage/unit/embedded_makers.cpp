// The engines that need no server.
#include "storage/memory/memory_store.hpp"
#include "storage/sqlite/database.hpp"
#include "storage/sqlite/sqlite_store.hpp"
#include "tests/storage/unit/engine_makers.hpp"

namespace fencegate::storage {
namespace {

std::unique_ptr<Store> make_in_memory(const std::filesystem::path&, const Clock& clock) {
    return std::make_unique<memory::MemoryStore>(clock);
}

// What is claimed of an engine here holds without a sync.
std::unique_ptr<Store> make_in_file(const std::filesystem::path& folder, const Clock& clock) {
    auto lock = sqlite::FolderLock::take(folder);
    auto opened = sqlite::open_database(folder);
    (*opened)->exec("PRAGMA synchronous = OFF");
    return std::make_unique<sqlite::SqliteStore>(*std::move(lock), *std::move(opened), clock);
}

const EngineMaker kEngines[] = {{"Memory", make_in_memory}, {"Sqlite", make_in_file}};

}  // namespace

std::span<const EngineMaker> engines() { return kEngines; }

std::uint64_t random_operations() noexcept { return 2'000; }

}  // namespace fencegate::storage
