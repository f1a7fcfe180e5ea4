#pragma once
// VerifyRows: the rows of this store as the rules of `verify` ask for them, one query a pass. What
// must be sorted goes through temporary files once it is much (SQLITE_TMPDIR, else /var/tmp).
// Decides nothing. Thread rule: as its Connection, which has a transaction open, so that all passes
// show one moment. Errors: as rows.hpp says, of the Connection's failure().

#include "storage/sqlite/connection.hpp"
#include "storage/verify/rows.hpp"

namespace fencegate::storage::sqlite {

class VerifyRows final : public RowsToVerify {
public:
    explicit VerifyRows(Connection& connection);

    [[nodiscard]] StoreTotals totals() override;
    [[nodiscard]] Pass<StoredHour> hours() override;
    [[nodiscard]] Pass<StoredTurn> turns() override;
    [[nodiscard]] Pass<StoredToken> tokens(TokenTable table) override;

    [[nodiscard]] Pass<StoredLease> leases() override;
    [[nodiscard]] Pass<FurtherLock> further_locks() override;
    [[nodiscard]] Pass<LockLease> leases_by_lock(std::optional<lockmgr::LockRange> within) override;
    [[nodiscard]] Pass<LockHead> lock_heads() override;
    [[nodiscard]] bool has_further_lock(lockmgr::FencingToken token,
                                        const std::string& lock) override;

    [[nodiscard]] Pass<StoredEntry> journal() override;
    [[nodiscard]] bool may_follow(std::int64_t id, std::int64_t before) const override;
    [[nodiscard]] Pass<StoredMark> marks() override;
    [[nodiscard]] Pass<StoredBalance> mark_balances() override;
    [[nodiscard]] Pass<StoredBalance> balances() override;
    [[nodiscard]] Pass<StoredConsumer> consumers() override;

    [[nodiscard]] Pass<Payment> payments() override;
    [[nodiscard]] Pass<PaymentEntry> entries_by_payment() override;
    [[nodiscard]] Pass<FencedWrite> fenced_writes() override;
    [[nodiscard]] Pass<StoredReference> references() override;
    [[nodiscard]] std::optional<StoredReference> named_by(const std::string& reference,
                                                          const std::string& principal) override;
    [[nodiscard]] Pass<PaymentEntry> chain_of(const std::string& payment_id) override;

    [[nodiscard]] Pass<KeyedMovement> movements_by_key() override;
    [[nodiscard]] Pass<KeyedAnswer> answers_by_key() override;
    [[nodiscard]] Pass<KeptAnswer> answers() override;
    [[nodiscard]] Pass<KeptAnswer> answers_of_entries() override;
    [[nodiscard]] Pass<KeptAnswer> answers_of_leases() override;
    [[nodiscard]] Pass<ToldAnswer> told_by_payment() override;
    [[nodiscard]] Pass<ToldAnswer> told_of_no_entry() override;

    [[nodiscard]] bool has_failed() const override { return connection_.failure().has_value(); }
    [[nodiscard]] std::optional<std::string> take_damage() override;

private:
    Connection& connection_;
    Statement further_lock_;
};

}  // namespace fencegate::storage::sqlite
