#pragma once
// Rows: what the store's file says, read on the store's own connection between batches, and kept up
// to date by SQLite's own word on which rows changed. The one place that knows the schema.
// Thread rule: one thread. REQUIRES: the reader dies before the connection.

#include "storage/sqlite/connection.hpp"
#include "tests/simulation/timeline.hpp"

#include <set>

namespace fencegate::simulation {

struct LeaseRow {
    std::string id;
    LockSet locks;
    std::vector<std::int64_t> previous;
    Claim claim;
    std::string principal;
    std::string owner;
    std::string metadata;
    std::int64_t ttl_ms = 0;
    LeaseState state{};
    std::int64_t refused = 0;
    std::int64_t refusals_kept = 0;
    std::int64_t ended_hour = 0;

    friend bool operator==(const LeaseRow&, const LeaseRow&) = default;
};
struct AnswerRow {
    std::string principal;
    std::string key;
    std::optional<std::int64_t> token;
    std::string error;  // empty: it succeeded
    std::string body;
    std::string resource_id;
    std::string request_id;
    std::int64_t created_hour = 0;
    bool is_released = false;
};
struct TransferRow {
    std::string payment;
    std::int64_t kind = 0;  // storage::TransferKind
    std::int64_t amount = 0;
    std::int64_t token = 0;  // 0: none
    std::string reason;
    std::string principal;
};
struct PaymentRow {
    std::int64_t state = 0;  // storage::PaymentState
    std::int64_t authorized = 0;
    std::int64_t captured = 0;
    std::int64_t refunded = 0;
};
struct Rows {
    std::map<std::int64_t, LeaseRow> leases;  // by token
    std::map<std::string, std::int64_t> heads;
    std::map<std::int64_t, AnswerRow> answers;
    std::map<std::int64_t, TransferRow> transfers;
    std::map<std::string, PaymentRow> payments;
    std::map<std::string, RecordedRun> runs;  // by lock
    std::map<std::string, Proclaimed> elections;
    std::int64_t epoch = 0;
    std::int64_t sequence = 0;
    std::int64_t hour = 0;
    std::int64_t ran_ms = 0;  // of the hour
};

class RowReader {
public:
    explicit RowReader(storage::sqlite::Connection& connection);
    ~RowReader();
    RowReader(const RowReader&) = delete;
    RowReader& operator=(const RowReader&) = delete;

    // Reads what has changed since the last call; all of it on the first.
    const Rows& refresh();
    // Whether the last refresh() found any. SQLite also names rows whose change was taken back.
    [[nodiscard]] bool has_changed() const noexcept { return has_changed_; }

private:
    void read_lease(std::int64_t token);
    void read_further_locks(std::int64_t token, LeaseRow& lease);
    void read_answer(std::int64_t id);
    void read_transfer(std::int64_t id);
    // Tables without row ids, which SQLite does not name, are small and read as a whole.
    void read_small_tables();

    storage::sqlite::Connection& connection_;
    storage::sqlite::Statement lease_;
    storage::sqlite::Statement further_locks_;
    storage::sqlite::Statement refusals_;
    storage::sqlite::Statement answer_;
    storage::sqlite::Statement transfer_;
    storage::sqlite::Statement payments_;
    storage::sqlite::Statement heads_;
    storage::sqlite::Statement runs_;
    storage::sqlite::Statement elections_;
    storage::sqlite::Statement counter_;
    std::set<std::int64_t> leases_changed_;
    std::set<std::int64_t> answers_changed_;
    std::set<std::int64_t> transfers_changed_;
    bool has_changed_ = false;
    Rows rows_;
};

}  // namespace fencegate::simulation
