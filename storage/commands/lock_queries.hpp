#pragma once
// LockQueries: what can be read about locks and leases. Writes nothing.
// Thread rule: belongs to the store thread. Call only between BEGIN and COMMIT: an answer must not
// tell what the batch before has not made durable.

#include "lockmgr/waits_for.hpp"
#include "storage/documents/lock_documents.hpp"
#include "storage/unit/batch.hpp"

#include <cstddef>

namespace fencegate::storage {

class LockQueries {
public:
    LockQueries(Tables& tables, const lockmgr::LockClasses& classes)
        : tables_(tables), classes_(classes) {}

    [[nodiscard]] Answer read(const Batch& batch, const ReadLease& read);
    [[nodiscard]] Answer read(const Batch& batch, const ReadLock& read);
    [[nodiscard]] Answer read(const Batch& batch, const ListLocks& list);
    [[nodiscard]] Answer read(const Batch& batch, const ReadHistory& history);
    [[nodiscard]] Answer read(const Batch& batch, const VerifyFence& verify);
    [[nodiscard]] Answer read(const FindDeadlocks& find);
    [[nodiscard]] Answer read(const Batch& batch, const ReadLongestHeld& read);
    [[nodiscard]] Answer read(const Batch& batch, const ReadAdvice& read);

    // How many circles of waiters there are, up to a bound.
    [[nodiscard]] std::size_t count_deadlocks();

private:
    [[nodiscard]] HistoryView history_of(const Batch& batch, lockmgr::Lease lease);
    [[nodiscard]] std::vector<lockmgr::WaitCycle> deadlocks();

    Tables& tables_;
    const lockmgr::LockClasses& classes_;
};

}  // namespace fencegate::storage
