#pragma once
// Migrations: makes the schema of a store, or brings an older one up to this program's.
// Thread rule: before anything is served.

#include "base/result.hpp"
#include "storage/postgres/session.hpp"

namespace fencegate::storage::postgres {

// Under a lock of the database, as one transaction: two gateways that start migrate one after the
// other. A store that a newer program migrated is served if that program said that it may be.
// Fails with: StartFailure BadData (too new), Internal.
[[nodiscard]] Result<> migrate(Session& session);

}  // namespace fencegate::storage::postgres
