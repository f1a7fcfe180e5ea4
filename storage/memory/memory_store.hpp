#pragma once
// MemoryStore: the port of an engine without a disk, for the rules, the simulation and the contract
// suite of the port. Nothing outlives it: no server uses it.
// Owns its rows. Thread rule: one thread.
// Errors: failure() after a constraint, or after one that a test told it to have.

#include "storage/memory/memory_rows.hpp"
#include "storage/unit/store.hpp"

#include <memory>
#include <optional>

namespace fencegate::storage::memory {

class MemoryStore final : public Store {
public:
    // `clock` outlives it.
    explicit MemoryStore(const Clock& clock);

    [[nodiscard]] Readers readers() noexcept override {
        return {leases_,  refusals_, elections_, runs_,   payments_,
                entries_, answers_,  consumers_, ledger_, upkeep_};
    }

    void begin() override {}
    void write(const Changes& changes) override;
    [[nodiscard]] Commit commit(std::size_t commands) override;
    void roll_back() override;

    [[nodiscard]] const std::optional<Failure>& failure() const noexcept override {
        return transaction_.failure;
    }
    void clear_failure() noexcept override { transaction_.failure.reset(); }

    WallTime look(BootTime now) override;
    [[nodiscard]] const BelievedWall& wall() const noexcept override { return wall_; }
    [[nodiscard]] const std::optional<ClockJump>& gap() const noexcept override { return gap_; }

    [[nodiscard]] std::int64_t log_bytes() const noexcept override { return 0; }
    [[nodiscard]] bool wants_checkpoint() const noexcept override { return false; }
    BootTime::duration checkpoint() override { return {}; }
    // Fails with: Internal, always: there is nothing to copy into a file.
    [[nodiscard]] Result<std::unique_ptr<StoreCopy>> begin_copy(
        const std::filesystem::path& file) override;
    BootTime::duration close() override { return {}; }

    // The next commit that writes fails so, once: a full disk, one that is broken. nullopt: none.
    void fail_next_commit(std::optional<Failure> failure) { planned_ = std::move(failure); }

private:
    const Clock& clock_;
    Transaction transaction_;
    std::optional<Failure> planned_;
    BelievedWall wall_;
    std::optional<ClockJump> gap_;
    LeaseRows leases_;
    RefusalRows refusals_;
    ElectionRows elections_;
    RunRows runs_;
    LedgerRows ledger_;
    PaymentRows payments_;
    EntryRows entries_;
    AnswerRows answers_;
    ConsumerRows consumers_;
    UpkeepRows upkeep_;
};

}  // namespace fencegate::storage::memory
