#pragma once
// The server of this program of tests, and stores in it. Thread rule: one thread.

#include "storage/postgres/postgres_store.hpp"
#include "tests/support/postgres_cluster.hpp"

#include <memory>
#include <string>

namespace fencegate::testing {

// Started at the first use, ended with the program.
[[nodiscard]] PostgresCluster& cluster();

// Throws where it cannot be opened.
[[nodiscard]] std::unique_ptr<storage::postgres::PostgresStore> open_store(const std::string& url,
                                                                           const std::string& name,
                                                                           const Clock& clock);

}  // namespace fencegate::testing
