#pragma once
// The tables of a MemoryStore, and the rules that a schema would keep: a key is inserted once, what
// is changed exists, done and missed are final. They refuse as a constraint does.
// all() of a table is for tests that hold every row against what was promised.
// Thread rule: as the MemoryStore's. Errors: its failure().

#include "storage/memory/undo_log.hpp"
#include "storage/model/failure.hpp"
#include "storage/unit/changes.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fencegate::storage::memory {

// What all tables share: the log of the transaction and its failure.
struct Transaction {
    UndoLog log;
    std::optional<Failure> failure;

    // Whether anything may still be read or written.
    [[nodiscard]] bool goes_on() const noexcept { return !failure.has_value(); }
    void refuse(std::string why) {
        if (!failure) failure = Failure{Failure::Kind::Constraint, std::move(why)};
    }
};

using Token = lockmgr::FencingToken;

struct LeaseRow {
    lockmgr::Lease lease;
    std::map<lockmgr::LockName, std::optional<Token>> before{};  // of each of its locks
    std::string break_reason{};
    std::int64_t ended_hour = 0;
    std::int64_t refused = 0;
};

class LeaseRows final : public storage::LeaseReader {
public:
    explicit LeaseRows(Transaction& transaction)
        : transaction_(transaction),
          counter_(transaction.log),
          leases(transaction.log),
          heads(transaction.log) {}

    [[nodiscard]] std::optional<lockmgr::TokenCounter> counter() override;
    [[nodiscard]] std::optional<lockmgr::Lease> find(Token token) override;
    [[nodiscard]] std::string break_reason(Token token) override;
    [[nodiscard]] ChainHead head(const lockmgr::LockName& lock) override;
    [[nodiscard]] std::optional<Token> before(Token token, const lockmgr::LockName& lock) override;
    [[nodiscard]] std::vector<lockmgr::Lease> all_live() override;
    [[nodiscard]] std::vector<lockmgr::Lease> oldest_live(int limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> names(std::string_view prefix,
                                                       std::string_view after, int limit) override;

    void write(const Changes& changes);

private:
    // nullptr: there is none, or the transaction has failed.
    [[nodiscard]] const LeaseRow* row(Token token) const;
    void insert(const NewLease& granted);
    void set_head(const NewHead& head);
    void change(const LeaseChange& change);

    Transaction& transaction_;
    Table<int, lockmgr::TokenCounter> counter_;

public:  // for the tables beside it: refusals are counted there, and the sweeper forgets both
    Table<Token, LeaseRow> leases;
    Table<lockmgr::LockName, Token> heads;
};

class RefusalRows final : public storage::RefusalReader {
public:
    RefusalRows(Transaction& transaction, LeaseRows& leases)
        : refusals(transaction.log), transaction_(transaction), leases_(leases) {}

    [[nodiscard]] std::int64_t count(Token token) override;
    [[nodiscard]] std::vector<RefusedWrite> of(Token token, std::int64_t limit) override;
    void write(const Changes& changes);

    Table<std::pair<Token, std::int64_t>, RefusedWrite> refusals;

private:
    Transaction& transaction_;
    LeaseRows& leases_;
};

class ElectionRows final : public storage::ElectionReader {
public:
    explicit ElectionRows(Transaction& transaction)
        : transaction_(transaction), elections_(transaction.log) {}

    [[nodiscard]] std::optional<Proclamation> find(std::string_view election) override;
    void write(const Changes& changes);
    [[nodiscard]] const auto& all() const noexcept { return elections_.rows(); }

private:
    Transaction& transaction_;
    Table<std::string, Proclamation> elections_;
};

class RunRows final : public storage::RunReader {
public:
    explicit RunRows(Transaction& transaction)
        : transaction_(transaction), runs_(transaction.log) {}

    [[nodiscard]] std::optional<Run> find(std::string_view job, std::string_view slot) override;
    [[nodiscard]] std::vector<Run> list(std::string_view job, std::string_view before,
                                        int limit) override;
    void write(const Changes& changes);
    [[nodiscard]] const auto& all() const noexcept { return runs_.rows(); }

private:
    Transaction& transaction_;
    Table<std::pair<std::string, std::string>, Run> runs_;
};

class LedgerRows final : public storage::LedgerReader {
public:
    explicit LedgerRows(Transaction& transaction)
        : entries(transaction.log),
          turns(transaction.log),
          marks(transaction.log),
          transaction_(transaction),
          balances_(transaction.log) {}

    [[nodiscard]] LedgerState read() override;
    void write(const LedgerChanges& changes);

    Table<std::int64_t, JournalEntry> entries;
    Table<std::int64_t, bool> turns;
    Table<std::int64_t, Balances> marks;

private:
    Transaction& transaction_;
    Table<std::pair<std::string, Account>, Balance> balances_;
};

class PaymentRows final : public storage::PaymentReader {
public:
    PaymentRows(Transaction& transaction, LedgerRows& ledger)
        : transaction_(transaction),
          ledger_(ledger),
          payments_(transaction.log),
          references_(transaction.log) {}

    [[nodiscard]] std::optional<Payment> find(std::string_view id) override;
    [[nodiscard]] std::optional<std::string> find_reference(std::string_view reference,
                                                            std::string_view principal) override;
    [[nodiscard]] std::vector<Hold> holds_before(std::int64_t hour, const Hold& after,
                                                 int limit) override;
    [[nodiscard]] std::optional<std::vector<Refund>> refunds(const Payment& payment,
                                                             std::int64_t before,
                                                             int limit) override;
    void write(const Changes& changes);
    [[nodiscard]] const auto& all() const noexcept { return payments_.rows(); }

private:
    Transaction& transaction_;
    LedgerRows& ledger_;
    Table<std::string, Payment> payments_;
    Table<std::pair<std::string, std::string>, std::string> references_;
};

class EntryRows final : public storage::EntryReader {
public:
    EntryRows(Transaction& transaction, LedgerRows& ledger)
        : transaction_(transaction), ledger_(ledger) {}

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
    Transaction& transaction_;
    LedgerRows& ledger_;
};

class AnswerRows final : public storage::AnswerReader {
public:
    explicit AnswerRows(Transaction& transaction)
        : by_age(transaction.log), transaction_(transaction), answers_(transaction.log) {}

    [[nodiscard]] std::optional<StoredAnswer> find(std::string_view principal,
                                                   const Idempotency& idempotency) override;
    void write(const Changes& changes);
    void forget(std::int64_t id);

    struct Age {
        std::int64_t hour;
        KeyDigest digest;
    };
    Table<std::int64_t, Age> by_age;
    struct Row {
        StoredAnswer answer;
        std::string principal;
        std::string key;
    };
    [[nodiscard]] const auto& all() const noexcept { return answers_.rows(); }

private:
    Transaction& transaction_;
    Table<KeyDigest, Row> answers_;
};

class ConsumerRows final : public storage::ConsumerReader {
public:
    explicit ConsumerRows(Transaction& transaction)
        : transaction_(transaction), consumers_(transaction.log) {}

    [[nodiscard]] std::optional<Consumer> find(const std::string& name) override;
    [[nodiscard]] std::int64_t count_of(const std::string& principal) override;
    void write(const Changes& changes);

private:
    Transaction& transaction_;
    Table<std::string, Consumer> consumers_;
};

class UpkeepRows final : public storage::UpkeepReader {
public:
    UpkeepRows(Transaction& transaction, LeaseRows& leases, RefusalRows& refusals,
               AnswerRows& answers)
        : transaction_(transaction),
          leases_(leases),
          refusals_(refusals),
          answers_(answers),
          hours_(transaction.log),
          running_(transaction.log) {}

    [[nodiscard]] std::optional<std::int64_t> hour() override;
    [[nodiscard]] Duration running() override;
    [[nodiscard]] std::int64_t last_token_of(std::int64_t hour) override;
    [[nodiscard]] std::vector<OldAnswer> oldest_answers(std::size_t limit) override;
    [[nodiscard]] std::vector<OldLease> leases_between(std::int64_t after, std::int64_t until,
                                                       std::size_t limit) override;
    [[nodiscard]] std::vector<lockmgr::LockName> headed_by(const OldLease& lease) override;
    void write(const UpkeepChanges& changes);

private:
    void end_hour(std::int64_t hour);
    void forget(const OldLease& lease);

    Transaction& transaction_;
    LeaseRows& leases_;
    RefusalRows& refusals_;
    AnswerRows& answers_;
    Table<std::int64_t, std::int64_t> hours_;  // the last token of each
    Table<int, Duration> running_;
};

}  // namespace fencegate::storage::memory
