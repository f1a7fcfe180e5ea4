// PostgreSQL, and memory to hold it against.
#include "tests/postgres/postgres_makers.hpp"

#include "storage/memory/memory_store.hpp"
#include "storage/postgres/postgres_store.hpp"
#include "tests/storage/unit/engine_makers.hpp"

#include <memory>
#include <stdexcept>

namespace fencegate {
namespace testing {

PostgresCluster& cluster() {
    static PostgresCluster started;
    return started;
}

std::unique_ptr<storage::postgres::PostgresStore> open_store(const std::string& url,
                                                             const std::string& name,
                                                             const Clock& clock) {
    auto parts = storage::postgres::PostgresStore::prepare(url, name);
    if (!parts) throw std::runtime_error(parts.error().detail);
    return std::make_unique<storage::postgres::PostgresStore>(*std::move(parts), clock);
}

}  // namespace testing

namespace storage {
namespace {

std::unique_ptr<Store> make_in_memory(const std::filesystem::path&, const Clock& clock) {
    return std::make_unique<memory::MemoryStore>(clock);
}

std::unique_ptr<Store> make_on_server(const std::filesystem::path&, const Clock& clock) {
    return testing::open_store(testing::cluster().make_database(), "gateway", clock);
}

const EngineMaker kEngines[] = {{"Memory", make_in_memory}, {"Postgres", make_on_server}};

}  // namespace

std::span<const EngineMaker> engines() { return kEngines; }

std::uint64_t random_operations() noexcept { return 400; }

}  // namespace storage
}  // namespace fencegate
