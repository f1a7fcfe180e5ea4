#pragma once
// What must hold of a store's rows at every moment, asked of the file itself with plain SQL.
// Owns: the list of invariants. Refuses to own: what a particular test acknowledged.
// Thread rule: a function; it opens a connection of its own, also beside a running gateway.
// Errors: a file that cannot be read is reported as one more broken invariant.

#include <filesystem>
#include <string>
#include <vector>

namespace fencegate::testing {

// One line for each that is broken; empty when the store is sound.
[[nodiscard]] std::vector<std::string> broken_invariants(const std::filesystem::path& store_db);

}  // namespace fencegate::testing
