#pragma once
// The tables of a store in PostgreSQL, as they are read; changes_writer.hpp writes them. One class
// a reader of the port, one round trip a question. Nothing here decides. Thread rule: as its
// Connection. Errors: the Connection's failure(); nothing is found then.

#include "storage/postgres/connection.hpp"
#include "storage/unit/readers.hpp"
#include "storage/unit/store_clock.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fencegate::storage::postgres {

class LeaseRows final : public LeaseReader {
public:
    LeaseRows(Connection& connection, const StoreClock& clock);

    [[nodiscard]] std::optional<lockmgr::TokenCounter> counter() override;
    [[nodiscard]] std::optional<lockmgr::Lease> find(Token token) override;
    [[nodiscard]] std::string break_reason(Token token) override;
    [[nodiscard]] ChainHead head(const lockmgr::LockName& lock) override;
    [[nodiscard]] std::optional<Token> before(Token token, const lockmgr::LockName& lock) override;
    [[nodiscard]] std::vector<lockmgr::Lease> all_live() override;
    [[nodiscard]] std::vector<lockmgr::Lease> oldest_live(int limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> names(std::string_view prefix,
                                                       std::string_view after, int limit) override;

private:
    [[nodiscard]] lockmgr::Lease read(const Rows& row) const;
    [[nodiscard]] std::vector<lockmgr::Lease> all_of(Rows row) const;

    Connection& connection_;
    const StoreClock& clock_;
    Statement counter_;
    Statement find_;
    Statement break_reason_;
    Statement head_;
    Statement before_;
    Statement live_;
    Statement names_;
};

class RefusalRows final : public RefusalReader {
public:
    explicit RefusalRows(Connection& connection);

    [[nodiscard]] std::int64_t count(lockmgr::FencingToken token) override;
    [[nodiscard]] std::vector<RefusedWrite> of(lockmgr::FencingToken token,
                                               std::int64_t limit) override;

private:
    Connection& connection_;
    Statement count_;
    Statement of_;
};

class ElectionRows final : public ElectionReader {
public:
    explicit ElectionRows(Connection& connection);

    [[nodiscard]] std::optional<Proclamation> find(std::string_view election) override;

private:
    Connection& connection_;
    Statement find_;
};

class RunRows final : public RunReader {
public:
    explicit RunRows(Connection& connection);

    [[nodiscard]] std::optional<Run> find(std::string_view job, std::string_view slot) override;
    [[nodiscard]] std::vector<Run> list(std::string_view job, std::string_view before,
                                        int limit) override;

private:
    Connection& connection_;
    Statement find_;
    Statement list_;
};

class PaymentRows final : public PaymentReader {
public:
    explicit PaymentRows(Connection& connection);

    [[nodiscard]] std::optional<Payment> find(std::string_view id) override;
    [[nodiscard]] std::optional<std::string> find_reference(std::string_view reference,
                                                            std::string_view principal) override;
    [[nodiscard]] std::vector<Hold> holds_before(std::int64_t hour, const Hold& after,
                                                 int limit) override;
    [[nodiscard]] std::optional<std::vector<Refund>> refunds(const Payment& payment,
                                                             std::int64_t before,
                                                             int limit) override;

private:
    Connection& connection_;
    Statement find_;
    Statement find_reference_;
    Statement holds_;
    Statement previous_;
    Statement refunds_;
};

class LedgerRows final : public LedgerReader {
public:
    explicit LedgerRows(Connection& connection);

    [[nodiscard]] LedgerState read() override;

private:
    Connection& connection_;
    Statement head_;
    Statement count_;
    Statement balances_;
    Statement epoch_;
};

class EntryRows final : public EntryReader {
public:
    explicit EntryRows(Connection& connection);

    [[nodiscard]] EntryRanges ranges_of(const TimeRange& time) override;
    [[nodiscard]] std::vector<Creation> created_before(std::int64_t beside,
                                                       const EntryRanges& ranges,
                                                       int limit) override;
    [[nodiscard]] std::vector<Creation> created_after(std::int64_t beside,
                                                      const EntryRanges& ranges,
                                                      int limit) override;
    [[nodiscard]] std::vector<JournalEntry> before(std::int64_t beside, const EntryRanges& ranges,
                                                   int limit) override;
    [[nodiscard]] std::vector<JournalEntry> after(std::int64_t beside, const EntryRanges& ranges,
                                                  int limit) override;
    [[nodiscard]] std::optional<JournalEntry> find(std::int64_t id) override;
    [[nodiscard]] Marked marked_until(std::int64_t id, Account account,
                                      std::string_view currency) override;

private:
    [[nodiscard]] std::vector<std::int64_t> turns();
    // The first id of the stretch whose entry is not before `time`, by search.
    [[nodiscard]] std::int64_t first_not_before(WallTime time, EntryRange stretch);
    [[nodiscard]] Rows ask(Statement& statement, std::int64_t beside, const EntryRanges& ranges,
                           int limit);

    Connection& connection_;
    Statement head_;
    Statement turns_;
    Statement search_;
    Statement created_before_;
    Statement created_after_;
    Statement before_;
    Statement after_;
    Statement find_;
    Statement marked_;
};

class AnswerRows final : public AnswerReader {
public:
    explicit AnswerRows(Connection& connection);

    [[nodiscard]] std::optional<StoredAnswer> find(std::string_view principal,
                                                   const Idempotency& idempotency) override;

private:
    Connection& connection_;
    Statement find_;
};

class ConsumerRows final : public ConsumerReader {
public:
    explicit ConsumerRows(Connection& connection);

    [[nodiscard]] std::optional<Consumer> find(const std::string& name) override;
    [[nodiscard]] std::int64_t count_of(const std::string& principal) override;

private:
    Connection& connection_;
    Statement find_;
    Statement count_;
};

class UpkeepRows final : public UpkeepReader {
public:
    explicit UpkeepRows(Connection& connection);

    [[nodiscard]] std::optional<std::int64_t> hour() override;
    [[nodiscard]] Duration running() override;
    [[nodiscard]] std::int64_t last_token_of(std::int64_t hour) override;
    [[nodiscard]] std::vector<OldAnswer> oldest_answers(std::size_t limit) override;
    [[nodiscard]] std::vector<OldLease> leases_between(std::int64_t after, std::int64_t until,
                                                       std::size_t limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> headed_by(const OldLease& lease) override;

private:
    Connection& connection_;
    Statement hour_;
    Statement running_;
    Statement last_token_;
    Statement oldest_answers_;
    Statement leases_;
    Statement headed_by_;
};

}  // namespace fencegate::storage::postgres
