#pragma once
// verify_store: `verify` of a store in a file, from its log and pages to its rows. Owns: who may
// have the file open meanwhile, and the checks that only this engine has, which are told first.
// Refuses to own: the rules over rows (storage/verify). Reads only: it never migrates, checkpoints
// or repairs.
// Thread rule: any thread; nobody else may have the file open.

#include "base/result.hpp"
#include "storage/sqlite/connection.hpp"
#include "storage/verify/verify.hpp"

#include <filesystem>

namespace fencegate::storage {

// Fails with: StartFailure CannotRead (no such file), BadData (no fencegate store, so damaged that
// it cannot be opened, or of another schema version), InUse, CannotCreate (no room to sort). A
// store that can be read and is not sound is a report and no failure.
[[nodiscard]] Result<VerifyReport> verify_store(const std::filesystem::path& file,
                                                const VerifyOptions& options = {});

// The same of a store that is open, without its log and its folder. REQUIRES: the connection is out
// of a transaction.
[[nodiscard]] VerifyReport verify_rows(sqlite::Connection& connection,
                                       const VerifyOptions& options = {});

}  // namespace fencegate::storage
