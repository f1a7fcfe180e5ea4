#pragma once
// MemoryRows: the rows of the engine in memory, compared with what they were.
// Thread rule: one thread. REQUIRES: the reader dies before the store.

#include "storage/memory/memory_rows.hpp"
#include "tests/simulation/rows.hpp"

namespace fencegate::simulation {

class MemoryRows final : public RowReader {
public:
    // REQUIRES: they are a MemoryStore's.
    explicit MemoryRows(const storage::Readers& rows);

    const Rows& refresh() override;

private:
    void read_leases();
    [[nodiscard]] LeaseRow lease_of(const storage::memory::LeaseRow& row) const;
    void read_answers();
    void read_transfers();
    void read_payments();
    void read_roles();
    void read_counters();

    storage::memory::LeaseRows& leases_;
    storage::memory::RefusalRows& refusals_;
    storage::memory::ElectionRows& elections_;
    storage::memory::RunRows& runs_;
    storage::memory::PaymentRows& payments_;
    storage::memory::AnswerRows& answers_;
    storage::memory::LedgerRows& ledger_;
    storage::memory::UpkeepRows& upkeep_;
    std::map<std::int64_t, storage::KeyDigest> keys_;  // of the answers that are known
};

}  // namespace fencegate::simulation
