#pragma once
// Rows: what the store has, past the port: every row of every table that the judge knows, as it is
// between two batches.
// Thread rule: one thread. REQUIRES: a reader dies before the store that it reads.

#include "tests/simulation/timeline.hpp"

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

// Reads them on behalf of one process. Each engine has its own.
class RowReader {
public:
    RowReader() = default;
    virtual ~RowReader() = default;
    RowReader(const RowReader&) = delete;
    RowReader& operator=(const RowReader&) = delete;

    // Reads what has changed since the last call; all of it on the first.
    virtual const Rows& refresh() = 0;
    // Whether the last refresh() found any.
    [[nodiscard]] bool has_changed() const noexcept { return has_changed_; }

protected:
    // What the rows are now. Small tables are read as a whole.
    Rows rows_;
    bool has_changed_ = false;
};

}  // namespace fencegate::simulation
